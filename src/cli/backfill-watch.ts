import { setTimeout as delay } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import { type BackfillKind, type BackfillProgress, NoAnswerError, type Subscribers } from '../client.js';
import { progressLine } from './backfill-report.js';
import { say } from './output.js';
import { untilSignal } from './signals.js';

const pollMs = 1_000;

/** Shows how far it is: a bar where a person looks on, else a line whenever there is something new. */
interface Display {
  show(progress: BackfillProgress): void;
  note(text: string): void;
  end(): void;
}

/**
 * Looks on until it has ended. Ctrl-C ends the looking only.
 *
 * @returns how far it was last
 */
export async function watchBackfill(
  subscribers: Subscribers,
  vendorId: string,
  kind: BackfillKind,
): Promise<BackfillProgress | undefined> {
  let left = false;
  const leaving = untilSignal(() => {
    left = true;
  });
  const display = process.stderr.isTTY ? bar() : lines();
  let last: BackfillProgress | undefined;
  try {
    for (;;) {
      try {
        last = await subscribers.backfill(vendorId, kind);
        if (last) display.show(last);
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
        display.note('No worker answers; it goes on when one runs.');
      }
      if (left || !last || last.endedAt) return last;
      await Promise.race([leaving, delay(pollMs, undefined, { ref: true })]);
    }
  } finally {
    display.end();
    if (left) say(`It goes on by itself. To look again: sesamy-rule ${kind}${kind === 'reconcile' ? ' --status' : ''}`);
  }
}

function bar(): Display {
  const drawn = new SingleBar(
    { format: '{bar} {percentage} % | {line}', stream: process.stderr, hideCursor: true, clearOnComplete: false },
    Presets.shades_classic,
  );
  let started = false;
  return {
    show(progress) {
      const total = progress.total ?? Math.max(progress.listed, 1);
      const value = Math.min(progress.done + progress.unusableIds, total);
      if (!started) drawn.start(total, value, { line: progressLine(progress) });
      started = true;
      drawn.setTotal(total);
      drawn.update(value, { line: progressLine(progress) });
    },
    note(text) {
      if (started) drawn.update({ line: text });
      else say(text);
    },
    end: () => drawn.stop(),
  };
}

function lines(): Display {
  let shown = '';
  const once = (line: string) => {
    if (line !== shown) say(line);
    shown = line;
  };
  return { show: (progress) => once(progressLine(progress)), note: once, end() {} };
}
