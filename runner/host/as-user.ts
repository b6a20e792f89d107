import type { User } from './users.ts';

/** The command line that runs another as a user without root's powers, and without a way back to them. */
export function asUser(user: User, command: readonly string[], extraGroups: readonly number[] = []): string[] {
  const groups = extraGroups.length > 0 ? [`--groups=${extraGroups.join(',')}`] : ['--clear-groups'];
  return [
    'setpriv',
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    ...groups,
    '--inh-caps=-all',
    '--no-new-privs',
    ...command,
  ];
}
