// A face of 48×48 pixels to paint on. Python sends the picture and the tool; every finished stroke goes back as a list
// of pixels, and stays on the picture as a preview until Python sends a picture that has it.

const SIDE = 48;
const SVG = "http://www.w3.org/2000/svg";
const HINTS = {
  brush: "Press and draw to paint over the face.",
  box: "Press and drag to paint a box.",
  move: "Press inside a box and drag it.",
};
const boards = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let board = boards.get(parentElement);
  if (!board?.canvas.isConnected) {
    board = new Board(parentElement);
    boards.set(parentElement, board);
  }
  board.send = (strokes) => setTriggerValue("strokes", { board: board.name, strokes });
  board.show(data);
  return () => boards.delete(parentElement);
}

class Board {
  constructor(root) {
    this.name = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.picture = root.querySelector("img");
    this.canvas = root.querySelector("canvas");
    this.frames = root.querySelector("svg");
    this.hint = root.querySelector(".told");
    this.context = this.canvas.getContext("2d");
    this.count = 0;
    this.waiting = []; // Strokes that Python has not confirmed.
    this.points = null; // The stroke being drawn.
    this.hover = null;
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.go(event));
    this.canvas.addEventListener("pointerup", (event) => this.end(event));
    this.canvas.addEventListener("pointercancel", () => this.drop());
    this.canvas.addEventListener("pointerleave", () => this.leave());
    this.canvas.addEventListener("keydown", (event) => event.key === "Escape" && this.drop());
  }

  show(data) {
    this.data = data;
    if (data.board === this.name) this.waiting = this.waiting.filter((stroke) => stroke.number > data.seen);
    this.picture.src = data.picture;
    this.picture.alt = data.told;
    this.canvas.setAttribute("aria-label", data.told);
    this.canvas.classList.toggle("move", data.tool === "move");
    this.hint.textContent = data.tool === "move" && !data.boxes.length ? "There is no box to move yet." : HINTS[data.tool];
    this.draw();
  }

  begin(event) {
    if (!event.isPrimary || event.button !== 0) return;
    const point = this.pixel(event);
    let box = -1;
    if (this.data.tool === "move") {
      // The last painted lies on top.
      box = this.data.boxes.findLastIndex(([, x0, y0, x1, y1]) => x0 <= point[0] && point[0] < x1 && y0 <= point[1] && point[1] < y1);
      if (box < 0) return;
    }
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    // What is begun with one tool, grey and width ends with them.
    const { tool, grey, width, boxes } = this.data;
    this.stroke = { tool, grey, width, at: box < 0 ? -1 : boxes[box][0], box: box < 0 ? null : boxes[box].slice(1) };
    this.points = [point];
    this.hover = null;
    this.draw();
  }

  go(event) {
    if (!this.points) {
      this.hover = event.pointerType === "mouse" ? this.pixel(event) : null;
      this.draw();
      return;
    }
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      const point = this.pixel(one);
      const last = this.points.at(-1);
      if (point[0] !== last[0] || point[1] !== last[1]) this.points.push(point);
    }
    this.draw();
  }

  end(event) {
    if (!this.points) return;
    const point = this.pixel(event);
    const last = this.points.at(-1);
    if (point[0] !== last[0] || point[1] !== last[1]) this.points.push(point);
    const points = this.stroke.tool === "brush" ? this.points : [this.points[0], this.points.at(-1)];
    this.points = null;
    if (this.stroke.tool === "move" && points[0].join() === points[1].join()) {
      this.draw();
      return;
    }
    this.count += 1;
    this.waiting.push({ ...this.stroke, points, number: this.count });
    this.draw();
    // All that is not confirmed: two quick strokes may reach Python as one message.
    this.send(this.waiting.map(({ box, ...stroke }) => stroke));
  }

  drop() {
    this.points = null;
    this.draw();
  }

  leave() {
    this.hover = null;
    this.draw();
  }

  pixel(event) {
    const area = this.canvas.getBoundingClientRect();
    const at = (value, start, length) => {
      const pixel = Math.floor(((value - start) / length) * SIDE);
      return Math.min(2 * SIDE - 1, Math.max(-SIDE, pixel));
    };
    return [at(event.clientX, area.left, area.width), at(event.clientY, area.top, area.height)];
  }

  draw() {
    this.context.clearRect(0, 0, SIDE, SIDE);
    const frames = this.data.tool === "move" ? this.data.boxes.map((box) => box.slice(1)) : [];
    const strokes = this.points ? [...this.waiting, { ...this.stroke, points: this.points }] : this.waiting;
    for (const stroke of strokes) this.paint(stroke, frames);
    if (this.hover && this.data.tool === "brush" && !this.points) {
      this.context.globalAlpha = 0.5;
      this.paint({ ...this.data, points: [this.hover] }, frames);
      this.context.globalAlpha = 1;
    }
    this.frames.replaceChildren(...frames.flatMap(framed));
  }

  // The same pixels as fer_core.explain.poke.steps paints.
  paint({ tool, grey, width, points, box }, frames) {
    this.context.fillStyle = `rgb(${grey}, ${grey}, ${grey})`;
    const [first, last] = [points[0], points.at(-1)];
    if (tool === "move") {
      const [dx, dy] = [last[0] - first[0], last[1] - first[1]];
      frames.push([box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy]);
      return;
    }
    if (tool === "box") {
      const ends = [0, 1].map((axis) => {
        const inside = [first[axis], last[axis]].map((value) => Math.min(SIDE - 1, Math.max(0, value)));
        return [Math.min(...inside), Math.max(...inside) + 1];
      });
      const [[x0, x1], [y0, y1]] = ends;
      this.context.fillRect(x0, y0, x1 - x0, y1 - y0);
      frames.push([x0, y0, x1, y1]);
      return;
    }
    for (let y = 0; y < SIDE; y += 1) {
      for (let x = 0; x < SIDE; x += 1) {
        if (points.some((point, at) => distance(x, y, points[Math.max(0, at - 1)], point) <= width / 2)) {
          this.context.fillRect(x, y, 1, 1);
        }
      }
    }
  }
}

function distance(x, y, [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / Math.max(1, dx * dx + dy * dy)));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

function framed([x0, y0, x1, y1]) {
  return ["below", "above"].map((name) => {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", name);
    rect.setAttribute("x", x0);
    rect.setAttribute("y", y0);
    rect.setAttribute("width", x1 - x0);
    rect.setAttribute("height", y1 - y0);
    return rect;
  });
}
