import { compareText } from './text.js';

/**
 * - `invalid-phone`: no number that can be dialled; the phone is left out
 * - `invalid-date`: no date that can be read; the field counts as missing
 * - `unknown-status`: a contract status that nobody documented; judged by `isActive` alone (sesamy-api §3.4)
 * - `empty-slug`: nothing is left of the name once it is made a tag; the tag is left out
 * - `tag-too-long`: the tag was cut
 * - `type-mismatch`: the account has the field under a type that the value does not fit; the field is left out
 */
export type MappingProblemCode =
  | 'invalid-phone'
  | 'invalid-date'
  | 'unknown-status'
  | 'empty-slug'
  | 'tag-too-long'
  | 'type-mismatch';

/** Something about one field or tag that a person may want to mend. It never holds a value: values are personal data. */
export interface MappingProblem {
  /** A field's key, or a tag's pattern from the tag table. */
  field: string;
  code: MappingProblemCode;
}

/** Each problem once, sorted: the same list in whatever order things were found. */
export function uniqueProblems(problems: readonly MappingProblem[]): MappingProblem[] {
  const named = new Map(problems.map((problem) => [`${problem.field} ${problem.code}`, problem]));
  return [...named].sort(([a], [b]) => compareText(a, b)).map(([, problem]) => problem);
}
