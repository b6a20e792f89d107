import { CommandError, run } from './run.ts';

/** What conntrack says where nothing matches. */
const NOTHING = /0 flow entries have been deleted/;

/** Ends the connections to and from an IPv4 address that is translated. @throws CommandError */
export async function forgetConnections(address: string): Promise<void> {
  for (const field of ['--orig-dst', '--reply-dst']) {
    await run('conntrack', ['-D', '-f', 'ipv4', field, address]).catch((error: unknown) => {
      if (!(error instanceof CommandError && NOTHING.test(error.output))) throw error;
    });
  }
}
