import { spawn } from 'node:child_process';
import { childEnvironment } from './child-environment.js';

/**
 * Lets a child process not outlive this one, however this one ends: a waiting shell holds the reading end of a pipe, and when the
 * kernel closes our end (exit, crash, SIGKILL) the shell sends SIGTERM to the child. Costs one idle `sh` of about a megabyte. It runs
 * in a session of its own, so that a Ctrl-C in the terminal does not end it before us.
 *
 * On Windows there is no such shell, and a child of a killed process stays; elsewhere it stays only if the shell was killed as well.
 *
 * @returns a function that dismisses the watchdog; to be called when the child has ended, since its process id may be used again.
 */
export function endWithThisProcess(pid: number): () => void {
  if (process.platform === 'win32') return () => {};
  const shell = spawn('/bin/sh', ['-c', 'read -r _; kill -TERM "$1"', 'sesamy-rule-watchdog', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: childEnvironment(),
  });
  shell.on('error', () => {}); // No /bin/sh: nothing that could be done about it, and the server itself is fine.
  shell.unref();
  return () => shell.kill('SIGKILL');
}
