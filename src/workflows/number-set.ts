/**
 * Whole numbers as one short text, so that a hundred thousand of them can be carried over at continue-as-new: the distances between
 * them in order, in base 36. Ids of one account that lie a few thousand apart take four characters each.
 */
export function encodeNumbers(numbers: ReadonlySet<number>): string {
  const ordered = [...numbers].sort((a, b) => a - b);
  return ordered.map((value, index) => (value - (ordered[index - 1] ?? 0)).toString(36)).join(',');
}

/** The inverse of {@link encodeNumbers}. */
export function decodeNumbers(text: string): Set<number> {
  const numbers = new Set<number>();
  let last = 0;
  for (const distance of text === '' ? [] : text.split(',')) {
    last += Number.parseInt(distance, 36);
    numbers.add(last);
  }
  return numbers;
}

/** A number of 32 bits that stands for a text (FNV-1a). Two texts may have the same: only where that does no harm. */
export function numberOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
