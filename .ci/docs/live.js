// Figures that move: a slider chooses one of the frames that the page brings. No kernel, no other host.
(() => {
  // colours on a light page -> on a dark one; viz.palette has both
  const DARK = DARK_COLORS
  const dark = () => document.body.getAttribute("data-md-color-scheme") === "slate"
  const painted = text => !dark() ? text : text.replace(/#[0-9a-f]{6}/gi, hex => DARK[hex.toUpperCase()] ?? hex)

  function setUp(box) {
    const plot = box.querySelector(".plot"), range = box.querySelector("input"), says = box.querySelector("output")
    const text = box.querySelector("script").textContent
    let held
    const show = () => {
      const k = Number(range.value), frame = held.frames[k]
      says.textContent = held.words[k]
      const xs = frame.data.map(d => d.x), ys = frame.data.map(d => d.y)
      return Plotly.restyle(plot, { x: xs, y: ys }, frame.traces)
    }
    const draw = async () => {
      held = JSON.parse(painted(text))
      await Plotly.react(plot, held.data, held.layout, { responsive: true, displayModeBar: false, scrollZoom: false })
      await show()
      plot.dataset.ready = "yes"
    }
    range.addEventListener("input", show)
    const [back, on] = box.querySelectorAll("button")
    back.onclick = () => { range.stepDown(); show() }
    on.onclick = () => { range.stepUp(); show() }
    new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-md-color-scheme"] })
    draw()
  }
  document.querySelectorAll(".live").forEach(setUp)
})()
