import { action, type Html, html } from '../../common/html.js';
import type { LivingOn } from '../live-on.js';
import type { IntervalUnit, Person } from '../model.js';
import { addIntervals } from '../time.js';
import type { World } from '../world.js';
import { nameOf } from './people.js';

const dayMs = 86_400_000;

/** The stand-in's date, and buttons to live on: looking at the reader alone where there is one, else at everybody. */
export function clockPart(world: World, livingOn: LivingOn, person?: Person): Html {
  const { running, from, until, steps, done, userId, notLookedAt, notDone } = livingOn.progress();
  const ahead = Math.round(world.ahead / dayMs);
  return html`<p>Here it is <b>${dateOf(world.now())}</b>${ahead > 0 && html` <span class="soft">${days(ahead)} ahead of the real date</span>`}</p>
${
  running
    ? html`<p>Living on from ${from.slice(0, 10)} to ${until.slice(0, 10)} with ${who(world, userId)}:
<progress value="${done}" max="${steps}"></progress> ${done} of ${steps} steps. ${action('Stop', 'DELETE', '/_sandbox/live-on', {}, 'danger')}</p>`
    : html`<p class="actions">Live on with ${person ? nameOf(person) : 'everybody'}: ${spans(world).map(
        ({ text, span }) => action(text, 'POST', '/_sandbox/live-on', person ? { ...span, userId: person.id } : span),
      )}</p>
<p class="soft">${person ? alone(nameOf(person)) : together}</p>`
}
${notLookedAt > 0 && html`<p class="warn">${readers(notLookedAt)} ${notLookedAt === 1 ? 'was' : 'were'} not looked at in time: is the program running, and are webhooks sent to it?</p>`}
${notDone > 0 && html`<p class="warn">The program was not done with ${readers(notDone)} in time: their mails may be dated a step late.</p>`}`;
}

const together =
  'A year with everybody takes many minutes; from the page of one reader, with that reader, it takes a minute or two.';

function alone(name: string): string {
  return `The clock moves for everybody, but in each step the program is made to look at ${name} only: the others miss what time alone brings, such as notices and win-backs. A year takes a minute or two.`;
}

/** Twenty minutes are enough for a cancellation that waits for a regret. */
function spans(world: World) {
  const daysTo = (unit: IntervalUnit) => ({
    days: Math.round((Date.parse(addIntervals(world.now(), unit, 1)) - world.now().getTime()) / dayMs),
  });
  return [
    { text: '20 minutes', span: { minutes: 20 } },
    { text: 'an hour', span: { hours: 1 } },
    { text: 'a day', span: daysTo('DAY') },
    { text: 'a week', span: daysTo('WEEK') },
    { text: 'a month', span: daysTo('MONTH') },
    { text: 'a year', span: daysTo('YEAR') },
  ];
}

function who(world: World, userId: string | undefined): string {
  const person = userId === undefined ? undefined : world.person(userId);
  return person ? nameOf(person) : (userId ?? 'everybody');
}

function dateOf(now: Date): string {
  const format = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' } as const;
  return `${now.toLocaleDateString('en-GB', format)}, ${now.toISOString().slice(11, 16)} UTC`;
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}

function readers(number: number): string {
  return number === 1 ? '1 reader' : `${number} readers`;
}
