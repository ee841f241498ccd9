"""Equations as MathML, which browsers draw themselves."""
import re
import unicodedata

from latex2mathml.converter import convert

# What the converter does not read as LaTeX does: delimiters of a fixed size that are words or escapes, \arg, and an
# underscore in \texttt.
PLAIN = [(r"\\[bB]igg?[lr]?\s*(?=\\(?:[{}|]|[lr]Vert\b|[lr]angle\b))", ""),
         (r"\\arg\b", r"\\operatorname{arg}"),
         (r"\\texttt\{[^}]*\}", lambda m: m[0].replace(r"\_", "_"))]
# What browsers do not draw as TeX does: script letters by a variant, bars that grow and keep away, a minus after a bracket or
# a relation, low roots, functions without a space before what they are of, and a name of a width.
OPENING = "|".join(["&#x00028;", r"\(", "&#x0003D;", ",", "&#x0002C;", "&#x027E8;", "&#x02264;", "&#x02265;"])
FIRST = "".join(f"(?<!<{tag}>)" for tag in ("msub", "msup", "msubsup", "munder", "mover", "munderover", "mfrac", "mroot"))
MENDED = [(r'<mi mathvariant="script">([A-Z])</mi>', lambda m: f"<mi>{script(m[1])}</mi>"),
          (r"<mo[^>]*>(&#x02016;|&#x0007C;)</mo>", r'<mo stretchy="false" lspace="0.06em" rspace="0.06em">\1</mo>'),
          (rf"(<mo[^>]*>(?:{OPENING})</mo>)<mo>&#x02212;</mo>", r'\1<mo form="prefix">&#x02212;</mo>'),
          (r"<msqrt>", '<msqrt><mspace width="0" height="0.78em" depth="0.12em" />'),
          (rf"{FIRST}(<mi>[a-z]{{2,}}</mi>)(?=<m(?:i|n|sqrt|frac|sub|sup)\b)", r'\1<mspace width="0.167em" />'),
          (r'"negativethinmathspace"', '"-0.167em"')]


def script(letter) -> str:
    "A capital in script; some are older than the others in Unicode, and have names of their own."
    try: return unicodedata.lookup(f"MATHEMATICAL SCRIPT CAPITAL {letter}")
    except KeyError: return unicodedata.lookup(f"SCRIPT CAPITAL {letter}")


def mathml(latex, block=False) -> str:
    "An equation; a ValueError where part of it was not understood."
    text = latex.strip()
    for old, new in PLAIN: text = re.sub(old, new, text)
    made = convert(text, display="block" if block else "inline")
    if "\\" in made: raise ValueError(f"this equation does not become MathML: {latex.strip()}")
    for old, new in MENDED: made = re.sub(old, new, made)
    return f'<div class="equation">{made}</div>' if block else made
