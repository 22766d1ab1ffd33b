/** What a program that we start may see of our environment: where things are, languages, proxies and certificates. */
const handedOn =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TERM|TMPDIR|TEMP|TMP|XDG_\w+|SSL_CERT_(FILE|DIR)|(https?|no|all)_proxy|SystemRoot|APPDATA|LOCALAPPDATA|USERPROFILE|GO(DEBUG|GC|MAXPROCS|MEMLIMIT|TRACEBACK))$/i;

/** The environment of the embedded server and its kin. They have no use for the vendors' keys, so they do not get them. */
export function childEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => handedOn.test(name)));
}
