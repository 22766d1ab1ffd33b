/** What `npm audit` found, judged by the policy of docs/security.md: pure, so that it can be tested without a registry. */
import { z } from 'zod';

const severities = ['info', 'low', 'moderate', 'high', 'critical'] as const;
type Severity = (typeof severities)[number];

/** The least severity that fails: of what is installed with the program, and of what only builds and tests it. */
const fails = { production: 'moderate', development: 'high' } as const satisfies Record<string, Severity>;

/** No exception may stand longer, in days: what cannot be mended by then is to be thought of anew. */
const longestExceptionDays = 90;

const advisorySchema = z.object({ title: z.string(), url: z.string(), severity: z.enum(severities), name: z.string() });

/** The part of `npm audit --json` that is needed; `via` names the advisory itself or, as a text, the package that has it. */
const reportSchema = z.object({
  vulnerabilities: z.record(z.string(), z.object({ via: z.array(z.union([z.string(), advisorySchema])) })),
});

/** One known weakness of one package. */
export interface Advisory {
  /** `GHSA-…`, the end of its address. */
  id: string;
  package: string;
  title: string;
  severity: Severity;
}

/** The advisories of a report, or `undefined` where the answer is none, as when the registry has no audit. */
export function advisoriesOf(json: unknown): Advisory[] | undefined {
  const report = reportSchema.safeParse(json).data;
  if (!report) return undefined;
  const found = Object.values(report.vulnerabilities)
    .flatMap(({ via }) => via)
    .filter((via) => typeof via !== 'string')
    .map(({ url, name, title, severity }) => ({ id: url.split('/').at(-1) ?? url, package: name, title, severity }));
  return [...new Map(found.map((advisory) => [`${advisory.id} ${advisory.package}`, advisory])).values()];
}

/** An advisory that is lived with for a while. */
const exceptionSchema = z.strictObject({
  advisory: z.string().min(1),
  package: z.string().min(1),
  /** Why it does not harm here, or what is waited for. */
  reason: z.string().min(20, 'a reason is a sentence'),
  /** The last day, `YYYY-MM-DD`. */
  until: z.iso.date(),
});
export type Exception = z.infer<typeof exceptionSchema>;

/** @throws {z.ZodError} where the file is not a list of exceptions */
export function parseExceptions(json: unknown): Exception[] {
  return z.array(exceptionSchema).parse(json);
}

export interface Verdict {
  ok: boolean;
  /** One for each thing to know, what fails first. */
  lines: string[];
}

/** @param today `YYYY-MM-DD` */
export function judge(
  found: { production: readonly Advisory[]; all: readonly Advisory[] },
  exceptions: readonly Exception[],
  today: string,
): Verdict {
  const same = (advisory: Advisory) => (other: Advisory) =>
    other.id === advisory.id && other.package === advisory.package;
  const failing: string[] = [];
  const told: string[] = [];
  for (const advisory of found.all) {
    const place = found.production.some(same(advisory)) ? 'production' : 'development';
    const text = `${advisory.severity} in ${advisory.package} (${place}): ${advisory.title}, ${advisory.id}`;
    const exception = exceptions.find((one) => one.advisory === advisory.id && one.package === advisory.package);
    if (rank(advisory.severity) < rank(fails[place])) told.push(`below the bar: ${text}`);
    else if (!exception) failing.push(text);
    else if (exception.until < today) failing.push(`${text}; its exception ended on ${exception.until}`);
    else told.push(`excepted until ${exception.until}: ${text}; ${exception.reason}`);
  }
  for (const { advisory, package: name, until } of exceptions) {
    if (until > dayAfter(today, longestExceptionDays))
      failing.push(`the exception of ${advisory} lasts longer than ${longestExceptionDays} days`);
    if (!found.all.some((one) => one.id === advisory && one.package === name))
      told.push(`the exception of ${advisory} in ${name} is needed no more; remove it`);
  }
  return { ok: failing.length === 0, lines: [...failing.map((line) => `FAILS: ${line}`), ...told] };
}

function rank(severity: Severity): number {
  return severities.indexOf(severity);
}

function dayAfter(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}
