// The call: puts socket, devices and PeerConnection together and shows one frozen picture of it all.

import type { Call, CallCause, CallOptions, CallSnapshot, MediaFacts } from './api';
import { Devices } from './devices';
import { Outgoing } from './outgoing';
import { Peer } from './peer';
import { admitByFetch, Awake, browserWorld, merged, tabOf } from './page';
import { Socket, type SocketWorld } from './socket';
import { lostAfter, stateOf, type Media, type Phase } from './state';
import { Close, type ChatMessage, type IceGrant, type Kept, type MediaGate, type RemoveReason, type ServerMessage, type Slot } from './wire';

const maxText = 2000;
const none: MediaFacts = { framesDecoded: 0, framesSent: 0, audioEnergyReceived: 0, audioEnergySent: 0, packetsLost: 0 };

/** Makes a call; nothing happens before openDevices() or start(). */
export function createCall(options: CallOptions, world: SocketWorld = browserWorld()): Call {
  return new Engine(options, world).face();
}

class Engine {
  private readonly listeners = new Set<() => void>();
  private readonly socket: Socket;
  private readonly devices: Devices;
  private peer: Peer | null = null;
  private pcNumber = 0;
  private kept: Kept | undefined; // the peer, and the session in which it was offered
  private phase: Phase = { at: 'idle' };
  private gate: MediaGate | undefined;
  private ice: IceGrant | undefined;
  private iceWaiters: ((g: IceGrant) => void)[] = [];
  private media: Media = 'none';
  private cutSince = 0;
  private cutTimer: ReturnType<typeof setTimeout> | null = null;
  private early: { pc: number; slots: Slot[] } | null = null;
  private readonly outgoing: Outgoing;
  private readonly awake = new Awake();
  private chatNumber = 0;
  private part: Partial<CallSnapshot> = {};
  private view: CallSnapshot;

  constructor(
    private readonly options: CallOptions,
    world: SocketWorld,
  ) {
    const admit = options.admit ?? admitByFetch;
    this.devices = new Devices({ changed: () => this.show({}), track: (kind, track) => this.outgoing.trackChanged(kind, track) });
    this.outgoing = new Outgoing(this.devices, {
      put: (source, track) => void this.peer?.put(source, track),
      changed: () => {
        this.tellMute();
        this.show({});
      },
    });
    this.socket = new Socket(
      (signal) => admit(options.encounter, signal),
      tabOf(options.encounter),
      { message: (m) => this.take(m), state: (socket) => this.show({ socket }), ended: (why) => this.ended(why), kept: () => (this.media === 'none' ? undefined : this.kept) },
      world,
    );
    this.view = this.draw();
    globalThis.addEventListener?.('online', this.onNetwork);
    globalThis.document?.addEventListener?.('visibilitychange', this.onVisible);
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
      say: (text) => this.say(text),
      admit: (seat) => void this.socket.send({ t: 'admit', seat }),
      remove: (seat: string, reason: RemoveReason) => void this.socket.send({ t: 'remove', seat, reason }),
      leave: () => this.leave(),
      end: () => void this.socket.send({ t: 'end' }),
      resumeMedia: () => this.devices.wake(),
      facts: async () => (this.peer ? this.peer.facts() : none),
      dispose: () => this.dispose(),
    };
  }

  private start() {
    if (typeof RTCPeerConnection === 'undefined') return this.settle({ at: 'refused', cause: 'unsupported' });
    if (this.phase.at === 'started') return;
    this.settle({ at: 'started' });
    this.socket.start();
  }

  private takeOver() {
    if (this.phase.at === 'busy') {
      this.settle({ at: 'started' });
      this.socket.takeOver();
    } else if (this.phase.at === 'displaced') {
      this.seizing = true;
      this.start();
    }
  }

  private seizing = false; // the person asked to take the seat back: no second question

  private take(m: ServerMessage) {
    switch (m.t) {
      case 'welcome':
        return this.welcome(m);
      case 'busy':
        if (this.seizing) return this.socket.takeOver();
        return this.settle({ at: 'busy' });
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
        if (m.pc === this.peer?.number) void this.peer.answer(m.sdp).catch(() => this.rebuild());
        return;
      case 'slots':
        if (m.pc === this.peer?.number) this.peer.bind(m.slots);
        else this.early = { pc: m.pc, slots: m.slots };
        return;
      case 'speaking':
        return this.show({ speaking: m.seats });
      case 'history':
        return this.show({ chat: merged(m.messages, this.view.chat) });
      case 'chat':
        return this.said(m);
      case 'ice':
        this.ice = { servers: m.servers, expiresAt: m.expiresAt, policy: m.policy };
        for (const f of this.iceWaiters.splice(0)) f(this.ice);
        return;
      case 'rejoin':
        this.ice = m.ice;
        if (m.pc === this.peer?.number) this.rebuild();
        return;
      case 'ended':
        return this.settle({ at: 'over', cause: m.reason });
      case 'error':
        return this.error(m);
    }
  }

  private welcome(m: Extract<ServerMessage, { t: 'welcome' }>) {
    this.seizing = false;
    this.ice = m.ice;
    this.gate = m.media;
    this.told = '';
    if (m.kept === undefined || m.kept !== this.peer?.number) {
      this.pcNumber = 0;
      this.closePeer();
    }
    if (this.phase.at !== 'started') this.phase = { at: 'started' };
    const { identity } = m;
    this.show({
      me: { seat: m.seat, role: m.role, name: m.name, host: m.host, state: m.state, ...(identity ? { identity } : {}) },
      keptUntil: m.keptUntil,
    });
    this.tellMute();
    for (const p of this.view.chatPending) this.socket.send({ t: 'chat', ...p });
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

  private said(m: ChatMessage) {
    this.show({
      chat: merged(this.view.chat, [{ id: m.id, from: m.from, name: m.name, role: m.role, at: m.at, text: m.text }]),
      chatPending: m.from === this.view.me?.seat ? this.view.chatPending.filter((p) => p.id !== m.id) : this.view.chatPending,
    });
  }

  private error(m: Extract<ServerMessage, { t: 'error' }>) {
    switch (m.code) {
      case 'pc_unknown':
        return this.rebuild();
      case 'offer_refused':
      case 'offer_throttled':
      case 'room_full':
      case 'internal':
        if (this.gate?.allowed && this.media !== 'up') setTimeout(() => this.rebuild(), 3000);
        return;
      case 'media_refused':
        this.closePeer();
        // Not to be asked right now: the call is not refused, only later.
        if (m.reason === 'unavailable' && this.gate?.allowed) setTimeout(() => this.gateChanged(), 5000);
        return this.show({});
    }
  }

  private gateChanged() {
    if (!this.gate?.allowed) this.closePeer();
    else if (!this.peer && this.phase.at === 'started') this.openPeer();
    this.show({});
  }

  private openPeer() {
    if (!this.ice) return;
    this.pcNumber += 1;
    const number = this.pcNumber;
    const current = () => this.peer?.number === number;
    const peer = new Peer(number, this.ice, this.options.slots ?? 6, this.options.icePolicy, {
      offer: (sdp) => void this.socket.send({ t: 'offer', pc: number, sdp }),
      media: (m) => current() && this.mediaChanged(m),
      dead: () => current() && this.rebuild(),
      remote: () => current() && this.show({}),
      ice: () => this.freshIce(),
    });
    this.peer = peer;
    this.kept = { session: this.socket.current ?? '', pc: number };
    this.outgoing.putAll();
    if (this.early?.pc === number) peer.bind(this.early.slots);
    this.early = null;
    void peer.open().catch(() => this.rebuild());
  }

  /** A new PeerConnection in the same seat, after a moment when it keeps failing. */
  private rebuild() {
    if (this.phase.at !== 'started' || !this.gate?.allowed) return;
    const wasUp = this.media;
    this.peer?.close();
    this.peer = null;
    if (wasUp === 'up') this.mediaChanged('cut');
    void this.freshIce().then(() => {
      if (!this.peer && this.gate?.allowed && this.phase.at === 'started') this.openPeer();
    });
  }

  /** Credentials that can still allocate; waits for the server when ours are old. */
  private freshIce(): Promise<IceGrant | null> {
    const ice = this.ice;
    if (ice && (ice.servers.length === 0 || Date.parse(ice.expiresAt) > Date.now() + 5000)) return Promise.resolve(ice);
    return new Promise((resolve) => {
      this.iceWaiters.push(resolve);
      this.socket.send({ t: 'turn' });
      setTimeout(() => resolve(ice ?? null), 4000);
    });
  }

  private mediaChanged(m: 'up' | 'cut') {
    this.media = m;
    if (this.cutTimer) clearTimeout(this.cutTimer);
    this.cutTimer = null;
    if (m === 'cut') {
      this.cutSince ||= Date.now();
      this.cutTimer = setTimeout(() => this.show({}), lostAfter - (Date.now() - this.cutSince) + 10);
    } else this.cutSince = 0;
    this.show({});
  }

  private closePeer() {
    this.peer?.close();
    this.peer = null;
    this.media = 'none';
    this.cutSince = 0;
    if (this.cutTimer) clearTimeout(this.cutTimer);
  }

  private told = '';

  private tellMute() {
    const now = this.outgoing.sends();
    const key = `${this.view.me?.seat ?? ''}${this.pcNumber}${JSON.stringify(now)}`;
    if (key === this.told && this.pcNumber !== 0) return;
    if (this.socket.send({ t: 'mute', ...now }) > 0) this.told = key;
  }

  private say(text: string): boolean {
    const length = [...text].length;
    if (text.trim() === '' || length > maxText) return false;
    this.chatNumber += 1;
    const message = { id: `${Date.now().toString(36)}-${this.chatNumber}`, text };
    this.socket.send({ t: 'chat', ...message });
    this.show({ chatPending: [...this.view.chatPending, message] });
    return true;
  }

  private leave() {
    if (this.socket.send({ t: 'leave' }) === 0) this.socket.stop();
    this.settle({ at: 'over', cause: 'left' });
  }

  private ended(why: { code?: number; status?: number }) {
    if (this.phase.at === 'over') return;
    const refused = (cause: CallCause) => this.settle({ at: 'refused', cause });
    if (why.status === 401 || why.status === 403) return refused('signed_out');
    if (why.status === 404) return refused('not_found');
    if (why.status === 410 || why.code === Close.ended) return this.settle({ at: 'over', cause: 'host' });
    if (why.code === Close.removed) return this.settle({ at: 'over', cause: 'removed' });
    if (why.code === Close.left) return this.settle({ at: 'over', cause: 'left' });
    if (why.code === Close.takenOver) return this.settle({ at: 'displaced' });
    return refused('protocol');
  }

  private settle(phase: Phase) {
    this.phase = phase;
    if (phase.at !== 'started') {
      this.closePeer();
      if (phase.at === 'over') {
        this.outgoing.unshare();
        this.devices.close('camera');
        this.devices.close('microphone');
      }
    }
    this.show({});
  }

  private readonly onNetwork = () => {
    this.socket.check();
    if (this.media !== 'none') this.peer?.restart();
  };

  private readonly onVisible = () => {
    if (globalThis.document?.visibilityState !== 'visible') return;
    this.socket.check();
    this.keepAwake();
  };

  private keepAwake() {
    this.awake.want(['waiting', 'blocked', 'joining', 'inCall', 'repairing', 'lost'].includes(this.view.state));
  }

  private show(part: Partial<CallSnapshot>) {
    this.part = { ...this.part, ...part };
    const before = this.view.state;
    this.view = this.draw();
    if (before !== this.view.state) this.keepAwake();
    for (const f of [...this.listeners]) f();
  }

  private draw(): CallSnapshot {
    const p = this.part;
    const { state, cause } = stateOf({
      phase: this.phase,
      ...(p.me ? { seat: p.me.state } : {}),
      ...(this.gate ? { gate: this.gate } : {}),
      media: this.media,
      cutFor: this.cutSince ? Date.now() - this.cutSince : 0,
    });
    return Object.freeze({
      ...p,
      state,
      ...(cause ? { cause } : {}),
      socket: p.socket ?? 'closed',
      seats: p.seats ?? [],
      chat: p.chat ?? [],
      chatPending: p.chatPending ?? [],
      speaking: p.speaking ?? [],
      remote: this.peer?.remote() ?? [],
      link: this.peer ? (this.media === 'up' ? 'up' : this.media === 'cut' ? 'lost' : 'connecting') : 'none',
      ...this.outgoing.sends(),
      devices: this.devices.status,
      ...(this.devices.selfView ? { selfView: this.devices.selfView } : {}),
      ...(this.outgoing.share ? { screenView: this.outgoing.share } : {}),
      ...(this.cutSince ? { lostSince: new Date(this.cutSince).toISOString() } : {}),
    });
  }

  private dispose() {
    this.phase = { at: 'idle' };
    globalThis.removeEventListener?.('online', this.onNetwork);
    globalThis.document?.removeEventListener?.('visibilitychange', this.onVisible);
    this.socket.stop();
    this.closePeer();
    this.outgoing.unshare();
    this.devices.dispose();
    this.show({});
    this.listeners.clear();
  }
}
