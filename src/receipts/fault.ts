import { LiquidError, UndefinedVariableError } from 'liquidjs';
import { NotAlone } from './engine.js';

/** What is wrong with a template, and what mends it. Both are to be read after the template's name. Only names of the template are quoted. */
export interface TemplateFault {
  problem: string;
  mend: string;
}

const unclosed = 'has a tag or a value that is not closed';

/** From what Liquid throws. Its own messages quote the template, which may be any file that was named by mistake. */
export function faultOf(error: unknown): TemplateFault {
  const message = error instanceof Error ? error.message : '';
  const line = lineOf(error);
  const cause = error instanceof LiquidError ? (error.originalError ?? error) : error;
  if (cause instanceof NotAlone) {
    return {
      problem: `has {% ${cause.message} %}${line}, which would bring in another file`,
      mend: 'write all of it into the one file',
    };
  }
  if (error instanceof UndefinedVariableError)
    return unknownVariable(nameIn(/undefined variable: (\S+?),? /, message), line);
  if (message.includes('undefined filter')) return unknown('filter', nameIn(/undefined filter: (\w+)/, message), line);
  if (/tag ".*" not found/.test(message)) return unknown('tag', nameIn(/tag "(\w+)" not found/, message), line);
  if (message.includes('not closed')) return { problem: `${unclosed}${line}`, mend: 'close it' };
  if (/limit exceeded/.test(message)) {
    return { problem: `takes too much time or memory${line}`, mend: 'make it shorter, without long loops' };
  }
  return { problem: `is not valid Liquid${line}`, mend: 'correct that line' };
}

export function unknownVariable(name: string | undefined, line: string): TemplateFault {
  return unknown('variable', name, line, 'correct its spelling: docs/configuration.md lists what there is');
}

function unknown(what: string, name: string | undefined, line: string, mend = 'correct its spelling or remove it') {
  return { problem: `has ${name ? `the ${what} ${name}` : `a ${what}`}${line}, which does not exist`, mend };
}

export function atLine(line: number | undefined): string {
  return line === undefined ? '' : ` (line ${line})`;
}

function lineOf(error: unknown): string {
  if (!(error instanceof LiquidError)) return '';
  const [line] = error.token.getPosition();
  return atLine(line);
}

/** A name that could stand in a template; anything longer or stranger is not repeated. */
function nameIn(pattern: RegExp, message: string): string | undefined {
  const [, name = ''] = pattern.exec(message) ?? [];
  return /^[\w.-]{1,60}$/.test(name) ? name : undefined;
}
