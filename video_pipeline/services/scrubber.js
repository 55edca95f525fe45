// A time line with a picture of the moment under the pointer, from the sprite sheets that a WebVTT file lists.
// No dependencies; to use it elsewhere, copy it and call `attach`.

const CUE = /^(?:(\d+):)?(\d\d):(\d\d\.\d{3}) --> (?:(\d+):)?(\d\d):(\d\d\.\d{3}).*\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/gm;
const seconds = (hours, minutes, rest) => Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(rest);

/** The tiles of a WebVTT text, by time: { start, end, sheet, x, y, width, height }; `base` is the text's address. */
export function tiles(text, base) {
  return Array.from(text.matchAll(CUE), (cue) => {
    const [x, y, width, height] = cue.slice(8).map(Number);
    const sheet = new URL(cue[7], base).href;
    return { start: seconds(...cue.slice(1, 4)), end: seconds(...cue.slice(4, 7)), sheet, x, y, width, height };
  });
}

/** The tile that shows what plays at a time. */
export function at(listed, time) {
  return listed.findLast((tile) => tile.start <= time) ?? listed[0];
}

function clock(time) {
  const [hours, minutes, rest] = [time / 3600, (time / 60) % 60, time % 60].map(Math.floor);
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Builds the time line inside of `place` for a video element. The keyboard moves it as any slider. */
export async function attach(place, video, address) {
  const base = new URL(address, document.baseURI);
  const answer = await fetch(base);
  if (!answer.ok) throw new Error(`${base}: ${answer.status}`);
  const listed = tiles(await answer.text(), base);
  if (!listed.length) return;
  const end = listed.at(-1).end;
  const line = document.createElement("input");
  Object.assign(line, { type: "range", min: 0, max: end, step: "any", value: 0, ariaLabel: "Seek" });
  const frame = document.createElement("figure");
  const picture = document.createElement("div");
  const caption = document.createElement("figcaption");
  frame.append(picture, caption);
  frame.hidden = true;
  place.style.position = "relative";
  Object.assign(line.style, { width: "100%", margin: "0.75rem 0", cursor: "pointer", touchAction: "none" });
  Object.assign(frame.style, { position: "absolute", bottom: "100%", margin: 0, pointerEvents: "none", border: "1px solid #fff" });
  Object.assign(caption.style, { textAlign: "center", color: "#fff", background: "#000c" });
  place.append(line, frame);

  // The time under the pointer; the slider's own is that of its handle's middle, which keeps off both ends.
  let pointed = 0;
  let pressed = false;

  function show(event) {
    const box = line.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    pointed = share * end;
    const tile = at(listed, pointed);
    Object.assign(picture.style, {
      width: `${tile.width}px`,
      height: `${tile.height}px`,
      background: `url("${tile.sheet}") -${tile.x}px -${tile.y}px`,
    });
    caption.textContent = clock(pointed);
    frame.hidden = false;
    const left = share * box.width - tile.width / 2;
    // Between two pixels a picture is blurred.
    frame.style.left = `${Math.round(Math.max(0, Math.min(box.width - tile.width, left)))}px`;
  }

  line.addEventListener("pointermove", show);
  line.addEventListener("pointerdown", (event) => {
    pressed = true;
    show(event);
    video.currentTime = pointed;
  });
  for (const type of ["pointerup", "pointercancel"]) line.addEventListener(type, () => (pressed = false));
  line.addEventListener("pointerleave", () => (frame.hidden = true));
  line.addEventListener("input", () => (video.currentTime = pressed ? pointed : Number(line.value)));
  video.addEventListener("timeupdate", () => {
    if (!line.matches(":active")) line.value = video.currentTime;
  });
}
