const FLAGS = /^\(\?([a-zA-Z]+)\)/;

/**
 * A regular expression as mappings write it, in Python's way. It matches anywhere in a text, as Python's `search`.
 * @throws Error when it is none, or one that only Python has
 */
export function compilePattern(pattern: string): RegExp {
  const flags = FLAGS.exec(pattern)?.[1] ?? '';
  const foreign = [...flags].find((flag) => !'ims'.includes(flag));
  if (foreign) throw new Error(`"${pattern}" has the flag ${foreign}: there are i, m and s`);
  const source = pattern
    .replace(FLAGS, '')
    .replace(/\\[\s\S]|\(\?P<|\(\?P=(\w+)\)/g, (token, name: string | undefined) => {
      if (token === '\\A') return '(?<![\\s\\S])';
      if (token === '\\Z') return '(?![\\s\\S])';
      if (token === '(?P<') return '(?<';
      return name === undefined ? token : `\\k<${name}>`;
    });
  try {
    return new RegExp(source, [...new Set(flags)].join(''));
  } catch (error) {
    throw new Error(`"${pattern}" is no regular expression: ${(error as Error).message}`);
  }
}
