/** Longer names and titles are somebody's joke. */
const longest = 200;

/** Marks that turn the direction of all the text behind them: `gnp.exe` is not to look like `exe.png`. */
const directionMarks = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A value of the vendors as one line of a mail: no control characters, no line of its own making. A blank one is missing. */
export function oneLine(text: string | undefined): string | undefined {
  const line = (text ?? '')
    .replace(directionMarks, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  const characters = [...line];
  return (characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : line) || undefined;
}

/** Only what opens as a web page: the link is to be clicked by readers. */
export function webLink(text: string | undefined): string | undefined {
  return text !== undefined && /^https:\/\/\S+$/.test(text) && URL.canParse(text) ? text : undefined;
}
