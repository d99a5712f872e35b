// Takes steps one after another and shows which one it is at, and how long each took.

/**
 * A step is `{ name, done?, take }`: `done` says that there is nothing to do, `take` does it, may
 * report how far it is through its argument, and may return a word to show.
 */
export async function takeSteps(steps) {
  for (const [index, step] of steps.entries()) {
    const title = `[${index + 1}/${steps.length}] ${step.name}`;
    if (await step.done?.()) {
      console.log(`${title}: there`);
      continue;
    }
    const line = new ProgressLine(title);
    const word = await step.take((progress) => line.report(progress)).finally(() => line.end());
    console.log(`${title}: ${word ?? "done"} (${seconds(line.started)})`);
  }
}

/** The time since `started`, for people. */
export function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

// On a terminal a line that is rewritten every second; elsewhere a new line every 20 seconds.
class ProgressLine {
  constructor(title) {
    this.title = title;
    this.started = performance.now();
    this.timer = setInterval(() => this.draw(), process.stdout.isTTY ? 1000 : 20_000);
    if (process.stdout.isTTY) this.draw();
  }

  report(progress) {
    if (progress) this.progress = progress;
  }

  draw() {
    const state = [this.progress, seconds(this.started)].filter(Boolean).join(", ");
    const text = `${this.title} … ${state}`;
    process.stdout.write(process.stdout.isTTY ? `\r\x1b[2K${text}` : `${text}\n`);
  }

  end() {
    clearInterval(this.timer);
    if (process.stdout.isTTY) process.stdout.write("\r\x1b[2K");
  }
}
