/** What a sample says of everybody. */
export interface SampleShare {
  /** Of the sample. */
  share: number;
  /** Of everybody: between these, in 95 of 100 samples. */
  low: number;
  high: number;
}

/** Of the normal distribution, for 95 %. */
const z = 1.96;

/**
 * The share of people with a difference, with the interval of Wilson's score, which is honest for shares near 0 and small samples too.
 * A sample of everybody leaves no doubt. `undefined` where nobody was looked at.
 * @param everybody how many there are, the sample included
 */
export function shareOf(differing: number, looked: number, everybody: number): SampleShare | undefined {
  if (looked === 0) return undefined;
  const share = differing / looked;
  if (looked >= everybody) return { share, low: share, high: share };
  const weight = 1 + z ** 2 / looked;
  const middle = (share + z ** 2 / (2 * looked)) / weight;
  const reach = (z / weight) * Math.sqrt((share * (1 - share)) / looked + z ** 2 / (4 * looked ** 2));
  return { share, low: Math.max(0, middle - reach), high: Math.min(1, middle + reach) };
}

/** As a percentage with as many digits as it takes to tell it from none. */
export function percent(share: number): string {
  const value = share * 100;
  const digits = value === 0 || value >= 10 ? 0 : value >= 1 ? 1 : 2;
  return `${value.toFixed(digits)} %`;
}
