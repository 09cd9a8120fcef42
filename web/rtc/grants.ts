// Credentials for our TURN, asked anew when they are old (docs/signaling.md §6.5).

import type { IceGrant } from './wire';

/** One that ends sooner than this is too old to begin with, in ms. */
const margin = 5000;
const patience = 4000;

export class Grants {
  private grant: IceGrant | null = null;
  private waiters: ((g: IceGrant) => void)[] = [];

  constructor(private readonly ask: () => void) {}

  take(grant: IceGrant) {
    this.grant = grant;
    for (const f of this.waiters.splice(0)) f(grant);
  }

  /** One that can still allocate; waits a moment for the server when ours is old; null when there never was one. */
  fresh(): Promise<IceGrant | null> {
    const { grant } = this;
    if (!grant || grant.servers.length === 0 || Date.parse(grant.expiresAt) > Date.now() + margin) return Promise.resolve(grant);
    return new Promise((resolve) => {
      this.waiters.push(resolve);
      this.ask();
      setTimeout(() => resolve(grant), patience);
    });
  }
}
