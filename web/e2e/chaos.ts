/**
 * A bad network between one browser and the server: a relay of datagrams that
 * loses, delays, narrows and cuts. The browser is led to it by its own
 * PeerConnection: the server's UDP candidates get the relay's port, the others go.
 */
import type { BrowserContext } from '@playwright/test';
import { createSocket, type Socket } from 'node:dgram';

/** What a narrow link keeps waiting before it drops, in ms. */
const queue = 300;

export class Chaos {
  /** bit/s of each direction, `up` from the browser; 0: as fast as it goes. */
  readonly rate = { up: 0, down: 0 };
  /** Share of datagrams lost, 0…1. */
  loss = 0;
  /** Nothing passes. */
  black = false;
  private readonly outside = createSocket('udp4');
  private readonly inside = new Map<string, { socket: Socket; dead: boolean }>();
  private readonly free = { up: 0, down: 0 };
  private to = 0;

  async open(): Promise<number> {
    await new Promise<void>((done) => this.outside.bind(0, done));
    this.outside.on('message', (data, from) => this.up(data, from.address, from.port));
    return this.outside.address().port;
  }

  /** The server's port, known from its first answer. */
  towards(port: number) {
    this.to = port;
  }

  /** Every path known now is gone for good, as when a phone leaves its Wi-Fi; new ones work. */
  leave() {
    for (const path of this.inside.values()) path.dead = true;
  }

  private up(data: Buffer, address: string, port: number) {
    const key = `${address}:${port}`;
    let path = this.inside.get(key);
    if (!path) {
      const socket = createSocket('udp4');
      path = { socket, dead: false };
      this.inside.set(key, path);
      const mine = path;
      socket.on('message', (d) => !mine.dead && this.pass('down', d, () => this.outside.send(d, port, address)));
    }
    const { socket } = path;
    if (!path.dead && this.to) this.pass('up', data, () => socket.send(data, this.to, '127.0.0.1'));
  }

  private pass(way: 'up' | 'down', data: Buffer, go: () => void) {
    if (this.black || Math.random() < this.loss) return;
    if (this.rate[way] === 0) return go();
    const now = Date.now();
    const start = Math.max(now, this.free[way]);
    if (start - now > queue) return;
    this.free[way] = start + (data.length * 8000) / this.rate[way];
    setTimeout(go, this.free[way] - now);
  }

  close() {
    this.outside.close();
    for (const { socket } of this.inside.values()) socket.close();
  }
}

/** Leads the PeerConnections of a context's pages through the relay, and nowhere else. */
export async function through(context: BrowserContext, chaos: Chaos) {
  const port = await chaos.open();
  await context.exposeFunction('towards', (p: number) => chaos.towards(p));
  await context.addInitScript((relay) => {
    const Real = window.RTCPeerConnection;
    const bare = (c?: RTCConfiguration) => ({ ...c, iceServers: [] });
    window.RTCPeerConnection = class extends Real {
      constructor(c?: RTCConfiguration) {
        super(bare(c));
      }
      override setConfiguration(c?: RTCConfiguration) {
        super.setConfiguration(bare(c));
      }
      override async setRemoteDescription(d: RTCSessionDescriptionInit) {
        const lines = (d.sdp ?? '').split('\r\n').filter((l) => !l.startsWith('a=candidate') || (/ udp /i.test(l) && !l.includes(':', 30)));
        const found = lines.map((l) => l.match(/^a=candidate:\S+ \d udp \d+ \S+ (\d+) /i)?.[1]).find(Boolean);
        if (found) await (window as unknown as { towards: (p: number) => Promise<void> }).towards(Number(found));
        const sdp = lines.map((l) => l.replace(/^(a=candidate:\S+ \d udp \d+ \S+ )\d+ /i, `$1${relay} `)).join('\r\n');
        return super.setRemoteDescription({ ...d, sdp });
      }
    };
  }, port);
}
