"Exported lines hold one idea: none above 140 columns, under 3% above 120, no three statements on one, no comprehension inside another."
import ast, subprocess, sys
from collections import Counter
from pathlib import Path

LOOPS = ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp

def written(text: str) -> list:   # of (number, line): blank ones and `__all__` are nobody's
    "The lines of a module that somebody wrote."
    tree = ast.parse(text)
    made = {n for x in tree.body if isinstance(x, ast.Assign) and getattr(x.targets[0], "id", "") == "__all__"
            for n in range(x.lineno, x.end_lineno + 1)}
    return [(n, l) for n, l in enumerate(text.split("\n"), 1) if l.strip() and n not in made]

def crowded(text: str) -> dict:   # number of a line -> what is wrong with it
    "Lines that hold more than one idea."
    nodes = list(ast.walk(ast.parse(text)))
    simple = Counter(n.lineno for n in nodes if isinstance(n, ast.stmt) and not hasattr(n, "body"))
    out = {line: f"{count} statements" for line, count in simple.items() if count > 2}
    for n in nodes:
        if not isinstance(n, LOOPS): continue
        made = [n.key, n.value] if isinstance(n, ast.DictComp) else [n.elt]
        parts = [*made, *(g.iter for g in n.generators)]      # what it makes and runs over; its condition may ask `any(...)`
        if any(isinstance(m, LOOPS) for part in parts for m in ast.walk(part)):
            out[n.lineno] = "a comprehension inside a comprehension"
    return out

def check(paths) -> tuple:   # complaints, lines, lines above 120 columns
    "What is wrong with modules."
    bad, count, wide = [], 0, 0
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        lines = written(text)
        count, wide = count + len(lines), wide + sum(len(l) > 120 for _, l in lines)
        bad += [f"{path}:{n}: {len(l)} columns" for n, l in lines if len(l) > 140]
        bad += [f"{path}:{n}: {what}" for n, what in crowded(text).items()]
    return bad, count, wide

if __name__ == "__main__":
    listed = subprocess.run(["git", "ls-files", "meru_nb/*.py"], capture_output=True, text=True, check=True).stdout.split()
    bad, count, wide = check([p for p in listed if not p.endswith("_modidx.py")])
    if wide > 0.03 * count: bad.append(f"{wide} of {count} lines are above 120 columns: at most 3%")
    print(*bad, f"{count} lines, {wide} above 120 columns ({wide / count:.1%}), {len(bad)} complaints", sep="\n")
    sys.exit(bool(bad))
