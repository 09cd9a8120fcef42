// The call: puts signalling, devices and media together and shows one frozen picture of it all.

import type { Call, CallOptions, CallSnapshot, DeviceNote, MediaFacts } from './api';
import { Devices } from './devices';
import type { Extras } from './extras';
import { Grants } from './grants';
import { Link } from './link';
import { Network } from './network';
import { Outgoing } from './outgoing';
import { admitByFetch, Awake, browserWorld, tabOf } from './page';
import { Socket, type SocketWorld } from './socket';
import { draw } from './snapshot';
import type { CallCause, CallState, Phase } from './state';
import { Talk } from './talk';
import { Views } from './views';
import { Close, type MediaGate, type RemoveReason, type ServerMessage } from './wire';

const none: MediaFacts = { framesDecoded: 0, framesSent: 0, audioEnergyReceived: 0, audioEnergySent: 0, packetsLost: 0 };

export interface World extends SocketWorld {
  /** Each move; one that moves.ts does not know is a defect. */
  moved?: (from: CallState, to: CallState) => void;
}

/** Makes a call; nothing happens before openDevices() or start(). */
export function createCall(options: CallOptions, world: World = browserWorld()): Call {
  return new Engine(options, world).face();
}

class Engine {
  private readonly listeners = new Set<() => void>();
  private readonly socket: Socket;
  private readonly devices: Devices;
  private readonly outgoing: Outgoing;
  private extras: Extras | null = null;
  private readonly network: Network;
  private readonly link: Link;
  private readonly grants = new Grants(() => void this.socket.send({ t: 'turn' }));
  private readonly awake = new Awake();
  private phase: Phase = { at: 'idle' };
  private gate: MediaGate | undefined;
  private seizing = false; // the person asked to take the seat back: no second question
  private readonly talk = new Talk((body) => void this.socket.send(body), () => this.show({}));
  private readonly views: Views;
  private told = '';
  private stopping: ReturnType<typeof setTimeout> | undefined;
  private part: Partial<CallSnapshot> = {};
  private view: CallSnapshot;

  constructor(
    options: CallOptions,
    private readonly world: World,
  ) {
    const admit = options.admit ?? admitByFetch;
    this.devices = new Devices({
      changed: () => this.show({}),
      track: (kind, track) => {
        if (kind === 'camera') void this.useCamera(track);
        this.outgoing.trackChanged(kind, track);
      },
      note: (n) => this.noted(n),
    });
    this.outgoing = new Outgoing(this.devices, {
      put: (source, track) => this.link.put(source, track),
      changed: () => {
        this.tellMute();
        this.show({});
      },
    });
    this.link = new Link(options.slots ?? 6, options.icePolicy, {
      offer: (pc, sdp) => void this.socket.send({ t: 'offer', pc, sdp }),
      doubt: (rtt) => this.socket.check(Math.min(1000, Math.max(400, 4 * rtt))),
      report: (r) => void this.socket.send(r),
      changed: () => this.show({}),
      opened: () => (this.outgoing.putAll(), this.views.forget()),
      ice: () => this.grants.fresh(),
      reachable: () => this.socket.sound,
      session: () => this.socket.current ?? '',
      may: () => this.phase.at === 'started' && this.gate?.allowed === true,
      expects: (id) => this.view.seats.some((s) => s.seat === id && s.state === 'admitted' && s.online && s.camera && s.link === 'up' && !s.held),
      sendsCamera: () => this.outgoing.sends().camera,
      second: (s) => this.extras?.tick(s.slow, s.seconds),
    });
    this.socket = new Socket(
      (signal) => admit(options.encounter, signal),
      tabOf(options.encounter),
      { message: (m) => this.take(m), state: (s) => this.socketChanged(s), ended: (why) => this.ended(why), kept: () => this.link.kept },
      world,
    );
    this.views = new Views({ slots: () => this.link.bound, tell: (slots) => void this.socket.send({ t: 'view', pc: this.link.pc, slots }) });
    this.network = new Network({
      changed: () => {
        this.socket.check(1000);
        this.link.moved();
      },
      offline: (is) => {
        if (is) this.link.measure.reporter.begin('offline');
        else this.link.measure.reporter.end('offline');
        this.show({});
      },
      seen: () => this.seen(),
      hidden: () => this.views.soon(),
    });
    this.view = this.draw();
  }

  face(): Call {
    return {
      snapshot: () => this.view,
      subscribe: (f) => {
        this.listeners.add(f);
        return () => this.listeners.delete(f);
      },
      openDevices: async (want) => {
        await this.devices.open({ microphone: want?.microphone ?? true, camera: want?.camera ?? true });
      },
      listDevices: () => this.devices.list(),
      switchCamera: () => this.devices.nextCamera(),
      micLevel: () => (this.outgoing.mic ? this.devices.level() : 0),
      start: () => this.start(),
      takeOver: () => this.takeOver(),
      setMic: (on) => this.outgoing.setMic(on),
      setCamera: (on) => this.outgoing.setCamera(on),
      setScreen: (on) => this.outgoing.setScreen(on),
      setTorch: async (on) => this.extras?.setTorch(on),
      setBlur: async (on) => this.extras?.setBlur(on),
      say: (text, to) => this.talk.say(text, to),
      sayAgain: (id) => this.talk.retry(id),
      forgetMessage: (id) => this.talk.forget(id),
      admit: (seat) => void this.socket.send({ t: 'admit', seat }),
      hold: (seats) => void this.socket.send({ t: 'hold', seats: [...seats] }),
      askStill: (seat) => void this.socket.send({ t: 'still', seat }),
      answerStill: (id, state) => void this.socket.send({ t: 'still_answer', id, state }),
      shows: (seat, source, height) => this.views.set(seat, source, height),
      remove: (seat: string, reason: RemoveReason) => void this.socket.send({ t: 'remove', seat, reason }),
      leave: () => this.leave(),
      askRecall: () => void this.socket.send({ t: 'recall' }),
      end: () => void this.socket.send({ t: 'end' }),
      resumeMedia: () => this.devices.wake(),
      forgetNote: () => this.forget(),
      facts: async () => (await this.link.facts()) ?? none,
      dispose: () => this.dispose(),
    };
  }

  /** What a camera knows besides pictures comes with the first one that knows anything. */
  private async useCamera(track: MediaStreamTrack | null) {
    const can = (track?.getCapabilities?.() ?? {}) as { torch?: unknown; backgroundBlur?: unknown };
    if (this.extras) return this.extras.use(track);
    if (!can.torch && !can.backgroundBlur) return;
    const loaded = await import('./extras').catch(() => null); // without it there is no lamp: no harm
    if (!loaded) return;
    this.extras ??= new loaded.Extras(() => this.show({}));
    this.extras.use(this.devices.track('camera'));
    this.show({});
  }

  private start() {
    if (typeof RTCPeerConnection === 'undefined') return this.settle({ at: 'refused', cause: 'unsupported' });
    if (this.phase.at === 'started') return;
    this.afresh();
    this.settle({ at: 'started' });
    this.socket.start();
  }

  /** What the last stay in the room left behind does not belong to the next. */
  private afresh() {
    const { me: _me, queue: _queue, ...rest } = this.part;
    this.part = rest;
    this.gate = undefined;
  }

  private takeOver() {
    if (this.phase.at !== 'elsewhere') return;
    if (this.phase.cause === 'asked') {
      this.settle({ at: 'started' });
      this.socket.takeOver();
    } else {
      this.seizing = true;
      this.start();
    }
  }

  private take(m: ServerMessage) {
    switch (m.t) {
      case 'welcome':
        return this.welcome(m);
      case 'busy':
        if (this.seizing) return this.socket.takeOver();
        return this.settle({ at: 'elsewhere', cause: 'asked' });
      case 'room':
        return this.room(m);
      case 'queue': {
        const { t: _t, seq: _seq, ack: _ack, ...queue } = m;
        return this.show({ queue });
      }
      case 'media':
        this.gate = { allowed: m.allowed, ...(m.reason ? { reason: m.reason } : {}) };
        return this.gateChanged();
      case 'answer':
        return this.link.answer(m.pc, m.sdp);
      case 'slots':
        this.link.bind(m.pc, m.slots);
        return this.views.soon();
      case 'speaking':
        return this.show({ speaking: m.seats });
      case 'stills':
        return this.show({ stills: m.requests });
      case 'history':
        return this.talk.history(m.messages);
      case 'chat':
        return this.talk.said(m, this.view.me?.seat);
      case 'ice':
        return this.grants.take({ servers: m.servers, expiresAt: m.expiresAt, policy: m.policy });
      case 'notice':
        return this.stops(m.inSeconds);
      case 'rejoin':
        this.stops(0);
        this.grants.take(m.ice);
        return this.link.rejoin(m.pc, m.reason);
      case 'ended':
        return this.settle({ at: 'ended', cause: m.reason });
      case 'error':
        return this.error(m);
    }
  }

  /** Sound and picture stop in so many seconds; 0: nothing is known of that. Said until then, or until there is another place for them. */
  private stops(inSeconds: number) {
    clearTimeout(this.stopping);
    const { stopsAt: _old, ...rest } = this.part;
    this.part = rest;
    if (inSeconds > 0) this.stopping = setTimeout(() => this.stops(0), inSeconds * 1000);
    this.show(inSeconds > 0 ? { stopsAt: new Date(Date.now() + inSeconds * 1000).toISOString() } : {});
  }

  private welcome(m: Extract<ServerMessage, { t: 'welcome' }>) {
    this.seizing = false;
    this.grants.take(m.ice);
    if (!(this.gate = m.media).allowed) this.link.close();
    this.link.renew(m.kept);
    this.phase = { at: 'started' };
    const { identity } = m;
    this.show({
      me: { seat: m.seat, role: m.role, name: m.name, host: m.host, state: m.state, ...(identity ? { identity } : {}) },
      keptUntil: m.keptUntil,
      stills: [],
    });
    this.told = '';
    this.tellMute();
    this.talk.again();
    this.gateChanged();
  }

  private room(m: Extract<ServerMessage, { t: 'room' }>) {
    const mine = m.seats.find((s) => s.seat === this.view.me?.seat);
    const me = this.view.me && mine ? { ...this.view.me, state: mine.state } : this.view.me;
    const queue = me?.state === 'waiting' ? this.view.queue : undefined;
    const { queue: _old, ...rest } = this.part;
    this.part = queue ? { ...rest, queue } : rest;
    this.show({ seats: m.seats, ...(me ? { me } : {}), ...(m.started ? { startedAt: m.started } : {}) });
  }

  private error(m: Extract<ServerMessage, { t: 'error' }>) {
    if (m.id !== undefined) return this.talk.refuse(m.id, m.code, m.seconds);
    switch (m.code) {
      case 'pc_unknown':
        return this.link.rebuild();
      case 'offer_refused':
      case 'offer_throttled':
      case 'room_full':
      case 'internal':
        return this.link.again(3000);
      case 'media_refused':
        this.link.close();
        // Not to be asked right now: the call is not refused, only later.
        if (m.reason === 'unavailable' && this.gate?.allowed) setTimeout(() => this.gateChanged(), 5000);
        return this.show({});
    }
  }

  private gateChanged() {
    if (!this.gate?.allowed) this.link.close();
    else if (this.phase.at === 'started') this.link.open();
    this.show({});
  }

  private socketChanged(socket: CallSnapshot['socket']) {
    if (socket === 'reconnecting') this.link.measure.reporter.begin('signalling-lost');
    this.show({ socket });
    if (socket !== 'open') return;
    this.link.measure.reporter.end('signalling-lost');
    this.link.reachable();
  }

  /** The page is in view again: what the system cut meanwhile is taken back, by itself where it lets us. */
  private seen() {
    this.socket.check();
    this.views.soon();
    this.keepAwake();
    const { microphone, camera } = this.devices.status;
    if ([microphone, camera].some((d) => d.state === 'problem' && d.cause === 'interrupted')) void this.devices.wake();
  }

  private noted(n: DeviceNote) {
    const { reporter } = this.link.measure;
    if (n.what === 'interrupted') reporter.begin('interrupted');
    else if (n.what === 'silent') reporter.note('microphone-silent');
    else if (n.what === 'denied') reporter.note('permission-lost');
    else if (n.what === 'lost') reporter.begin(n.kind === 'camera' ? 'camera-lost' : 'microphone-lost');
    else if (n.what !== 'offered') {
      reporter.end('interrupted');
      reporter.end(n.kind === 'camera' ? 'camera-lost' : 'microphone-lost');
      if (n.what === 'switched') reporter.note('device-changed');
    }
    this.forget();
    // What is still wrong is said by the device's own state.
    this.show(n.what === 'switched' || n.what === 'offered' ? { deviceNote: n } : {});
  }

  private forget() {
    const { deviceNote: _old, ...rest } = this.part;
    this.part = rest;
    this.show({});
  }

  private tellMute() {
    const now = this.outgoing.sends();
    const key = `${this.view.me?.seat ?? ''}${this.link.pc}${JSON.stringify(now)}`;
    if (key === this.told) return;
    if (this.socket.send({ t: 'mute', ...now }) > 0) this.told = key;
  }

  private leave() {
    if (this.socket.send({ t: 'leave' }) === 0) this.socket.stop();
    this.settle({ at: 'ended', cause: 'left' });
  }

  private ended(why: { code?: number; status?: number }) {
    if (this.phase.at === 'ended') return;
    const refused = (cause: CallCause) => this.settle({ at: 'refused', cause });
    if (why.status === 401 || why.status === 403) return refused('signed_out');
    if (why.status === 404) return refused('not_found');
    if (why.status === 410 || why.code === Close.ended) return this.settle({ at: 'ended', cause: 'host' });
    if (why.code === Close.removed) return this.settle({ at: 'ended', cause: 'removed' });
    if (why.code === Close.left) return this.settle({ at: 'ended', cause: 'left' });
    if (why.code === Close.takenOver) return this.settle({ at: 'elsewhere', cause: 'taken' });
    return refused('protocol');
  }

  private settle(phase: Phase) {
    this.phase = phase;
    if (phase.at !== 'started') {
      this.link.close();
      this.stops(0);
    }
    if (phase.at === 'ended') {
      this.outgoing.unshare();
      for (const kind of ['camera', 'microphone'] as const) this.devices.close(kind);
    }
    this.show({});
  }

  private keepAwake() {
    this.awake.want(!['idle', 'preparing', 'elsewhere', 'ended', 'refused'].includes(this.view.state));
  }

  private show(part: Partial<CallSnapshot>) {
    this.part = { ...this.part, ...part };
    const before = this.view.state;
    this.view = this.draw();
    if (before !== this.view.state) {
      this.world.moved?.(before, this.view.state);
      this.keepAwake();
    }
    for (const f of [...this.listeners]) f();
  }

  private draw(): CallSnapshot {
    const { part, phase, gate, link, talk, outgoing, devices, extras } = this;
    return draw({ part, phase, gate, link, talk, outgoing, devices, extras, offline: this.network.offline });
  }

  private dispose() {
    this.phase = { at: 'idle' };
    this.network.dispose();
    this.views.dispose();
    this.socket.stop();
    this.link.close();
    this.outgoing.unshare();
    this.devices.dispose();
    this.stops(0);
    this.show({});
    this.listeners.clear();
  }
}
