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
  packets: number;
  frames: number;
  energy: number;
  relay: boolean;
}

/** What the page really receives: decoded pictures and audible sound. */
export async function flows(page: Page): Promise<Flow> {
  return page.evaluate(async () => {
    const out = { streams: 0, packets: 0, frames: 0, energy: 0, relay: false };
    for (const pc of (window as unknown as { peers: RTCPeerConnection[] }).peers) {
      if (pc.connectionState !== 'connected') continue;
      const stats = await pc.getStats();
      stats.forEach((s) => {
        if (s.type === 'inbound-rtp' && s.kind === 'video' && s.framesDecoded > 0) {
          out.streams += 1;
          out.frames += s.framesDecoded;
        }
        if (s.type === 'inbound-rtp') out.packets += s.packetsReceived;
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

/** The SMS a number got, oldest first. */
export async function smsOf(gateway: string, number: string): Promise<string[]> {
  const all: { to: string; text: string }[] = await (await fetch(`${gateway}/messages`)).json();
  return all.filter((m) => m.to === number).map((m) => m.text);
}

/** The text of the first SMS to a number that comes after `before` others and looks as wanted. */
export async function nextSms(gateway: string, number: string, before: number, wanted: RegExp): Promise<string> {
  const fresh = async () => (await smsOf(gateway, number)).slice(before).find((text) => wanted.test(text)) ?? '';
  await expect.poll(fresh, { timeout: 60_000 }).toMatch(wanted);
  return fresh();
}

/** Types the code that a number got since `before` messages, and books: the last step of a booking. */
export async function typeCode(page: Page, gateway: string, number: string, before: number): Promise<void> {
  const code = (await nextSms(gateway, number, before, /\b\d{8}\b/)).match(/\b\d{8}\b/)![0];
  await page.getByLabel('Code à huit chiffres').fill(code);
  await page.getByRole('button', { name: /^Réserver/ }).click();
}

/** The letters in a mailbox of the mail simulator, as its page lists them. */
export async function lettersIn(mail: string, address: string): Promise<string> {
  return (await fetch(`${mail}/box?address=${encodeURIComponent(address)}`)).text();
}
