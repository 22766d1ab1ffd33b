import { setTimeout as delay } from 'node:timers/promises';
import progressBar, { type GenericFormatter } from 'cli-progress';
import { type BackfillKind, type BackfillProgress, NoAnswerError, type Subscribers } from '../client.js';
import { progressLine } from './backfill-report.js';
import { say } from './output.js';
import { untilSignal } from './signals.js';
import { sparingly } from './sparingly.js';

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
    if (left) {
      const goesOn =
        last?.stage === 'paused'
          ? `It stays paused until sesamy-rule ${kind} --resume --vendor ${vendorId}.`
          : 'It goes on by itself.';
      say(
        `${goesOn} To look again: sesamy-rule ${kind}${kind === 'reconcile' ? ' --status' : ''} --vendor ${vendorId}`,
      );
    }
  }
}

/** A share only where Sesamy said how many there are: of those listed so far it would jump back with each page. */
const format: GenericFormatter = (options, { progress, value, total }, { line, isShare }) =>
  isShare
    ? `${progressBar.Format.BarFormat(progress, options)} ${Math.floor((100 * value) / total)} % | ${line}`
    : line;

function bar(): Display {
  const drawn = new progressBar.SingleBar(
    { format, stream: process.stderr, hideCursor: true, clearOnComplete: false },
    progressBar.Presets.shades_classic,
  );
  let started = false;
  return {
    show(progress) {
      const total = progress.total ?? Math.max(progress.listed, 1);
      const value = Math.min(progress.done + progress.unusableIds, total);
      const payload = { line: progressLine(progress), isShare: progress.total !== undefined };
      if (!started) drawn.start(total, value, payload);
      started = true;
      drawn.setTotal(total);
      drawn.update(value, payload);
    },
    note(text) {
      if (started) drawn.update({ line: text });
      else say(text);
    },
    end: () => drawn.stop(),
  };
}

function lines(): Display {
  const isDue = sparingly();
  const show = (kind: string, line: string) => {
    if (isDue(kind, line)) say(line);
  };
  return {
    show: (progress) => show(`${progress.stage} ${progress.waiting?.until}`, progressLine(progress)),
    note: (text) => show(text, text),
    end() {},
  };
}
