import { expect, type BrowserContext, type Page } from '@playwright/test';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

const folder = process.env.SCREENSHOTS ?? path.resolve('../screenshots');

/** Keeps what the page looks like at a step, in a folder git ignores. */
export async function shot(page: Page, name: string) {
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
}

/** Makes the page's PeerConnections reachable for `flows`. */
export async function watchMedia(context: BrowserContext) {
  await context.addInitScript(() => {
    const all: RTCPeerConnection[] = [];
    (window as unknown as { peers: RTCPeerConnection[] }).peers = all;
    const Real = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(c?: RTCConfiguration) {
        super(c);
        all.push(this);
      }
    };
  });
}

export interface Flow {
  streams: number;
  frames: number;
  energy: number;
  relay: boolean;
}

/** What the page really receives: decoded pictures and audible sound. */
export async function flows(page: Page): Promise<Flow> {
  return page.evaluate(async () => {
    const out = { streams: 0, frames: 0, energy: 0, relay: false };
    for (const pc of (window as unknown as { peers: RTCPeerConnection[] }).peers) {
      if (pc.connectionState !== 'connected') continue;
      const stats = await pc.getStats();
      stats.forEach((s) => {
        if (s.type === 'inbound-rtp' && s.kind === 'video' && s.framesDecoded > 0) {
          out.streams += 1;
          out.frames += s.framesDecoded;
        }
        if (s.type === 'inbound-rtp' && s.kind === 'audio') out.energy += s.totalAudioEnergy ?? 0;
        if (s.type === 'candidate-pair' && s.nominated) {
          const local = stats.get(s.localCandidateId);
          out.relay ||= local?.candidateType === 'relay';
        }
      });
    }
    return out;
  });
}

/** The text of the newest SMS to a number, once it has arrived. */
export async function newestSms(gateway: string, number: string, wanted: RegExp): Promise<string> {
  let found = '';
  await expect
    .poll(
      async () => {
        const all: { to: string; text: string }[] = await (await fetch(`${gateway}/messages`)).json();
        found = all.filter((m) => m.to === number && wanted.test(m.text)).at(-1)?.text ?? '';
        return found;
      },
      { timeout: 30_000 },
    )
    .toMatch(wanted);
  return found;
}
