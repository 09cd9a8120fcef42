import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCall } from './call';
import { FakePeerConnection, FakeSocket, FakeStream } from './fakes';
import { moveOf } from './moves';

const ice = { servers: [], expiresAt: '2030-01-01T00:00:00Z', policy: 'all' };
const welcome = (more: Record<string, unknown> = {}) => ({
  t: 'welcome', seq: 1, session: 's1', resumeFor: 60, seat: 'me', encounter: 'e', role: 'patient', name: 'Léa D.', host: false,
  state: 'waiting', keptUntil: '2026-03-10T09:30:00Z', media: { allowed: false, reason: 'not_admitted' }, ice, now: '2026-03-10T09:00:00Z', ...more,
});
const admitted = { state: 'admitted', media: { allowed: true } };
const seat = (id: string, state: string) => ({ seat: id, name: id, role: 'patient', host: false, state, online: true, since: '', mic: false, camera: false, screen: false, link: 'none' });

let sockets: FakeSocket[];
let refuse: { status: number } | null;
let tickets: number;
let strange: string[];

function make() {
  return createCall(
    {
      encounter: 'e',
      admit: async () => {
        if (refuse) throw refuse;
        tickets += 1;
        return { ticket: `t${tickets}`, url: '/api/live' };
      },
    },
    {
      open: (url) => {
        const s = new FakeSocket(url);
        sockets.push(s);
        return s as unknown as WebSocket;
      },
      random: () => 0,
      moved: (from, to) => void (moveOf(from, to) || strange.push(`${from} → ${to}`)),
    },
  );
}

const now = () => sockets.at(-1) as FakeSocket;
const pc = () => FakePeerConnection.all.at(-1) as FakePeerConnection;
const settle = () => vi.advanceTimersByTimeAsync(0);

async function enter(more: Record<string, unknown> = {}) {
  const call = make();
  call.start();
  await settle();
  now().open();
  now().says(welcome(more));
  await settle();
  return call;
}

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  refuse = null;
  tickets = 0;
  strange = [];
  FakePeerConnection.all = [];
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
  vi.stubGlobal('RTCRtpReceiver', {});
  vi.stubGlobal('RTCRtpSender', {});
  vi.stubGlobal('MediaStream', FakeStream);
});

afterEach(() => {
  expect(strange).toEqual([]); // every move is one of state.ts
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('preparing', () => {
  test('the ticket is in the first message and in no address', async () => {
    const call = make();
    expect(call.snapshot().state).toBe('idle');
    call.start();
    expect(call.snapshot().state).toBe('preparing');
    await settle();
    now().open();
    expect(now().sent[0]).toMatchObject({ t: 'hello', ticket: 't1' });
    expect(now().url).not.toContain('t1');
    now().says(welcome());
    expect(call.snapshot()).toMatchObject({ state: 'waiting', socket: 'open', me: { seat: 'me', name: 'Léa D.' } });
  });

  test.each([
    [401, 'refused', 'signed_out'],
    [404, 'refused', 'not_found'],
    [410, 'ended', 'host'],
  ])('a ticket refused with %i', async (status, state, cause) => {
    refuse = { status };
    const call = make();
    call.start();
    await settle();
    expect(call.snapshot()).toMatchObject({ state, cause });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(0);
  });

  test('a server that is away is asked again, later and later', async () => {
    refuse = { status: 503 };
    const call = make();
    call.start();
    await vi.advanceTimersByTimeAsync(2000);
    refuse = null;
    await vi.advanceTimersByTimeAsync(5000);
    expect(call.snapshot().state).toBe('preparing');
    expect(sockets).toHaveLength(1);
  });

  test('a seat held elsewhere is taken when the person says so', async () => {
    const call = make();
    call.start();
    await settle();
    now().open();
    now().says({ t: 'busy', since: '2026-03-10T09:00:00Z' });
    expect(call.snapshot().state).toBe('elsewhere');
    call.takeOver();
    expect(now().last('takeover')).toBeDefined();
    now().says(welcome());
    expect(call.snapshot().state).toBe('waiting');
  });

  test('without WebRTC', () => {
    vi.stubGlobal('RTCPeerConnection', undefined);
    const call = make();
    call.start();
    expect(call.snapshot()).toMatchObject({ state: 'refused', cause: 'unsupported' });
  });
});

describe('media', () => {
  test('no PeerConnection while waiting or without consent; one offer when it may', async () => {
    const call = await enter();
    expect(FakePeerConnection.all).toHaveLength(0);
    now().says({ t: 'room', seq: 2, seats: [seat('me', 'admitted')] });
    now().says({ t: 'media', seq: 3, allowed: false, reason: 'consent_missing' });
    expect(call.snapshot()).toMatchObject({ state: 'blocked', cause: 'consent_missing' });
    expect(FakePeerConnection.all).toHaveLength(0);
    now().says({ t: 'media', seq: 4, allowed: true });
    await settle();
    expect(call.snapshot().state).toBe('joining');
    expect(now().last('offer')).toMatchObject({ pc: 1 });
    expect(pc().transceivers.map((t) => `${t.kind} ${t.direction}`)).toEqual([
      'audio sendonly', 'video sendonly', 'video sendonly', 'audio sendonly',
      ...Array<string>(6).fill('audio recvonly'), ...Array<string>(6).fill('video recvonly'),
    ]);
  });

  test('slots name who is heard and seen, also when they come before the answer', async () => {
    const call = await enter(admitted);
    now().says({ t: 'slots', seq: 2, pc: 1, slots: [{ mid: '4', seat: 'doc', kind: 'audio', source: 'voice' }, { mid: '10', seat: 'doc', kind: 'video', source: 'camera' }] });
    now().says({ t: 'answer', seq: 3, pc: 1, re: 2, sdp: 'v=0' });
    await settle();
    pc().becomes('connected');
    const s = call.snapshot();
    expect(s.state).toBe('live');
    expect(s.remote).toHaveLength(1);
    const voice = s.remote[0]?.voice;
    now().says({ t: 'speaking', seq: 4, seats: ['doc'] });
    expect(call.snapshot().remote[0]?.voice).toBe(voice);
    expect((voice as unknown as FakeStream).tracks).toEqual([{ id: 'remote-4', kind: 'audio' }]);
    now().says({ t: 'slots', seq: 5, pc: 1, slots: [] });
    expect(call.snapshot().remote).toEqual([]);
  });

  test('media silent: a socket that answers nothing either is made anew at once (M6)', async () => {
    const call = await enter(admitted);
    now().says({ t: 'answer', seq: 2, pc: 1, re: 2, sdp: '' });
    await settle();
    pc().becomes('connected');
    pc().becomes('disconnected');
    const dead = now();
    await vi.advanceTimersByTimeAsync(1850);
    expect(now()).toBe(dead);
    await vi.advanceTimersByTimeAsync(100);
    expect(now()).not.toBe(dead);
    now().open();
    expect(now().sent[0]).toMatchObject({ t: 'resume', session: 's1' });
    now().says({ t: 'resumed', ack: 0 });
    expect(now().last('offer')).toMatchObject({ pc: 1 }); // the restart that the dead socket took to its grave
    expect(call.snapshot().socket).toBe('open');
  });

  test('a socket that is only slow is kept, and nobody hears of it', async () => {
    const call = await enter(admitted);
    pc().becomes('connected');
    pc().becomes('disconnected');
    const slow = now();
    await vi.advanceTimersByTimeAsync(2000);
    const beside = now();
    expect(beside).not.toBe(slow);
    slow.says({ t: 'pong', at: '' });
    beside.open();
    expect(beside.sent).toEqual([]);
    expect(call.say('encore là')).toBe(true);
    expect(slow.last('chat')).toMatchObject({ text: 'encore là' });
    expect(call.snapshot().socket).toBe('open');
  });

  test('when none stands beside it after 3 s, signalling is away', async () => {
    const call = await enter(admitted);
    pc().becomes('connected');
    pc().becomes('disconnected');
    await vi.advanceTimersByTimeAsync(4800);
    expect(call.snapshot().socket).toBe('open');
    await vi.advanceTimersByTimeAsync(200);
    expect(call.snapshot().socket).toBe('reconnecting');
    // Nor is the next one waited for longer than 5 s: what the network lost is not sent again soon enough by the system.
    const made = sockets.length;
    await vi.advanceTimersByTimeAsync(6000);
    expect(sockets.length).toBeGreaterThan(made + 1);
  });

  test('the ladder: ICE restart at 1.5 s, unstable at 2, cut at 3, a new connection at 9.5, the telephone at 60 (B12)', async () => {
    const call = await enter(admitted);
    now().says({ t: 'answer', seq: 2, pc: 1, re: 2, sdp: '' });
    await settle();
    pc().becomes('connected');
    pc().becomes('disconnected');
    const at = async (ms: number) => {
      await vi.advanceTimersByTimeAsync(ms - (Date.now() - began));
      const { state, cause } = call.snapshot();
      return `${state} ${cause ?? ''}`;
    };
    const began = Date.now();
    const alive = setInterval(() => now().says({ t: 'pong', at: '' }), 400); // signalling stays
    expect(await at(1450)).toBe('live ');
    expect(pc().restarts).toBe(0);
    expect(await at(1950)).toBe('live ');
    expect(pc().restarts).toBe(1);
    expect(now().last('offer')).toMatchObject({ pc: 1 });
    expect(await at(2050)).toBe('weak unstable');
    expect(await at(3050)).toBe('reconnecting media');
    expect(pc().restarts).toBe(1);
    expect(await at(9550)).toBe('reconnecting media');
    expect(FakePeerConnection.all).toHaveLength(2);
    expect(FakePeerConnection.all[0]?.closed).toBe(true);
    expect(now().last('offer')).toMatchObject({ pc: 2 });
    expect(await at(59_900)).toBe('reconnecting media');
    expect(await at(60_050)).toBe('lost media');
    pc().becomes('connected');
    expect(await at(60_100)).toBe('live ');
    expect(call.snapshot().lostSince).toBeUndefined();
    clearInterval(alive);
  });

  test('ICE that gives up is not waited for', async () => {
    const call = await enter(admitted);
    pc().becomes('connected');
    pc().becomes('failed');
    await settle();
    expect(call.snapshot()).toMatchObject({ state: 'reconnecting', cause: 'media', quality: 'lost' });
    expect(pc().restarts).toBe(1);
  });

  test('while signalling is away no offer is queued; what is owed is asked when it is back', async () => {
    await enter(admitted);
    pc().becomes('connected');
    now().says({ t: 'answer', seq: 2, pc: 1, re: 1, sdp: '' });
    await settle();
    now().shut(1006);
    pc().becomes('failed');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(FakePeerConnection.all).toHaveLength(1);
    now().open();
    now().says({ t: 'resumed', ack: 9 });
    await settle();
    expect(FakePeerConnection.all).toHaveLength(2);
    expect(now().sent.filter((m) => m.t === 'offer').map((m) => m.pc)).toEqual([2]);
  });

  test('a node that died: the new session makes a new connection, and the call is not begun again', async () => {
    const call = await enter(admitted);
    pc().becomes('connected');
    now().shut(1006);
    await vi.advanceTimersByTimeAsync(400);
    now().open();
    now().shut(4003);
    await vi.advanceTimersByTimeAsync(1000);
    now().open();
    now().says(welcome({ ...admitted, session: 's2' }));
    await settle();
    expect(call.snapshot()).toMatchObject({ state: 'reconnecting', cause: 'media' });
    expect(now().last('offer')).toMatchObject({ pc: 1 });
    pc().becomes('connected');
    expect(call.snapshot().state).toBe('live');
    await vi.advanceTimersByTimeAsync(1100);
    expect((now().last('quality') as { faults: { what: string }[] }).faults.map((f) => f.what)).toEqual(['signalling-lost', 'rejoin']);
  });

  test('a connection that never stands is made anew after 15 s', async () => {
    await enter(admitted);
    await vi.advanceTimersByTimeAsync(15_100);
    expect(FakePeerConnection.all).toHaveLength(2);
  });

  test('consent withdrawn closes the connection; back again means a new one', async () => {
    const call = await enter(admitted);
    const first = pc();
    now().says({ t: 'media', seq: 2, allowed: false, reason: 'consent_withdrawn' });
    expect(first.closed).toBe(true);
    expect(call.snapshot()).toMatchObject({ state: 'blocked', cause: 'consent_withdrawn', remote: [] });
    now().says({ t: 'media', seq: 3, allowed: true });
    await settle();
    expect(now().last('offer')).toMatchObject({ pc: 2 });
  });

  test('a connection that the server no longer has is made anew', async () => {
    await enter(admitted);
    now().says({ t: 'error', code: 'pc_unknown', re: 2 });
    await settle();
    expect(now().last('offer')).toMatchObject({ pc: 2 });
  });
});

describe('the socket', () => {
  test('is resumed with what was missed, and media stays', async () => {
    const call = await enter(admitted);
    pc().becomes('connected');
    now().says({ t: 'chat', seq: 2, id: 'a', from: 'doc', name: 'D', role: 'doctor', at: '2026-03-10T09:00:01Z', text: 'un' });
    now().shut(1006);
    expect(call.snapshot()).toMatchObject({ state: 'reconnecting', cause: 'signalling', socket: 'reconnecting' });
    expect(call.say('pendant')).toBe(true);
    await vi.advanceTimersByTimeAsync(400);
    now().open();
    expect(now().sent[0]).toEqual({ t: 'resume', session: 's1', last: 2 });
    now().says({ t: 'resumed', ack: 1 });
    expect(now().last('chat')).toMatchObject({ text: 'pendant' });
    now().says({ t: 'chat', seq: 2, id: 'a', from: 'doc', name: 'D', role: 'doctor', at: '2026-03-10T09:00:01Z', text: 'un' });
    now().says({ t: 'chat', seq: 3, id: 'b', from: 'doc', name: 'D', role: 'doctor', at: '2026-03-10T09:00:02Z', text: 'deux' });
    expect(call.snapshot().chat.map((m) => m.text)).toEqual(['un', 'deux']);
    expect(FakePeerConnection.all).toHaveLength(1);
  });

  test('when resume is refused, a new ticket brings the same seat back', async () => {
    const call = await enter();
    now().shut(1006);
    await vi.advanceTimersByTimeAsync(400);
    now().open();
    now().shut(4003);
    await vi.advanceTimersByTimeAsync(1000);
    now().open();
    expect(now().sent[0]).toMatchObject({ t: 'hello', ticket: 't2' });
    now().says(welcome({ session: 's2' }));
    expect(call.snapshot().state).toBe('waiting');
  });

  test('a new session goes on with the connection that the server still has', async () => {
    const call = await enter(admitted);
    now().says({ t: 'answer', seq: 2, pc: 1, re: 1, sdp: 'v=0' });
    await settle();
    pc().becomes('connected');
    call.admit('other');
    now().shut(1006);
    await vi.advanceTimersByTimeAsync(1000);
    now().open();
    now().shut(4003);
    await vi.advanceTimersByTimeAsync(2000);
    now().open();
    expect(now().sent[0]).toMatchObject({ t: 'hello', kept: { session: 's1', pc: 1 } });
    now().says(welcome({ ...admitted, session: 's2', kept: 1 }));
    await settle();
    expect(FakePeerConnection.all).toHaveLength(1);
    expect(pc().closed).toBe(false);
    expect(now().last('offer')).toBeUndefined();
    expect(now().last('mute')).toBeDefined();
    expect(now().last('admit')).toMatchObject({ seat: 'other', seq: 1 });
    expect(call.snapshot().state).toBe('live');
  });

  test('told to rejoin: a new connection at once, by the relay that was named', async () => {
    await enter(admitted);
    now().says({ t: 'answer', seq: 2, pc: 1, re: 1, sdp: 'v=0' });
    await settle();
    pc().becomes('connected');
    const first = pc();
    now().says({ t: 'rejoin', seq: 3, pc: 1, reason: 'node_lost', ice: { ...ice, policy: 'relay' } });
    await settle();
    expect(first.closed).toBe(true);
    expect(now().last('offer')).toMatchObject({ pc: 2 });
    expect(pc().configuration).toMatchObject({ iceTransportPolicy: 'relay' });
    now().says({ t: 'rejoin', seq: 4, pc: 1, reason: 'node_lost', ice });
    await settle();
    expect(FakePeerConnection.all).toHaveLength(2);
  });

  test('a stop that is announced is said until then, until there is another place, or until the end', async () => {
    const call = await enter();
    now().says({ t: 'notice', seq: 2, code: 'stopping', inSeconds: 0 });
    expect(call.snapshot().stopsAt).toBeUndefined(); // signalling alone: the call goes on
    now().says({ t: 'notice', seq: 3, code: 'stopping', inSeconds: 120 });
    expect(Date.parse(call.snapshot().stopsAt ?? '')).toBe(Date.now() + 120_000);
    await vi.advanceTimersByTimeAsync(1000);
    now().says({ t: 'notice', seq: 4, code: 'stopping', inSeconds: 60 });
    expect(Date.parse(call.snapshot().stopsAt ?? '')).toBe(Date.now() + 60_000);
    const alive = setInterval(() => now().says({ t: 'pong', at: '' }), 4000);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(call.snapshot().stopsAt).toBeDefined();
    await vi.advanceTimersByTimeAsync(1100);
    expect(call.snapshot().stopsAt).toBeUndefined();
    now().says({ t: 'notice', seq: 5, code: 'stopping', inSeconds: 60 });
    now().says({ t: 'rejoin', seq: 6, pc: 1, reason: 'node_lost', ice });
    expect(call.snapshot().stopsAt).toBeUndefined();
    now().says({ t: 'notice', seq: 7, code: 'stopping', inSeconds: 60 });
    call.leave();
    expect(call.snapshot().stopsAt).toBeUndefined();
    clearInterval(alive);
  });

  test('a camera with a lamp: the lamp comes with it, and goes with it', async () => {
    const camera = (more: object) => ({ kind: 'video', label: '', readyState: 'live', enabled: true, muted: false, getSettings: () => ({}), getCapabilities: () => more, stop: () => undefined });
    let next = camera({ torch: true });
    class Opened {
      getAudioTracks = () => [];
      getVideoTracks = () => [next];
    }
    vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: async () => new Opened(), addEventListener() {}, removeEventListener() {}, enumerateDevices: async () => [] } });
    const call = make();
    await call.openDevices({ camera: true, microphone: false });
    await vi.dynamicImportSettled();
    expect(call.snapshot().torch).toBe(false);
    next = camera({});
    await call.openDevices({ camera: true, microphone: false });
    await vi.dynamicImportSettled();
    expect(call.snapshot().torch).toBeUndefined();
    call.dispose();
  });

  test('acks what came, in one go', async () => {
    await enter();
    now().says({ t: 'room', seq: 2, seats: [] });
    now().says({ t: 'room', seq: 3, seats: [] });
    expect(now().last('ack')).toBeUndefined();
    await vi.advanceTimersByTimeAsync(500);
    expect(now().sent.filter((m) => m.t === 'ack')).toEqual([{ t: 'ack', ack: 3 }]);
  });

  test('that says nothing for 15 s is dead', async () => {
    const call = await enter();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(sockets.length).toBeGreaterThan(1);
    expect(call.snapshot().socket).toBe('reconnecting');
  });

  test.each([
    [4009, 'elsewhere', 'taken'],
    [4010, 'ended', 'host'],
    [4011, 'ended', 'removed'],
    [1008, 'refused', 'protocol'],
  ])('closed with %i ends it', async (code, state, cause) => {
    const call = await enter(admitted);
    now().shut(code);
    expect(call.snapshot().state).toBe(state);
    expect(call.snapshot().cause).toBe(cause);
    expect(pc().closed).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(1);
  });

  test('displaced, and taken back without a second question', async () => {
    const call = await enter();
    now().shut(4009);
    call.takeOver();
    await settle();
    now().open();
    now().says({ t: 'busy', since: '' });
    expect(now().last('takeover')).toBeDefined();
    now().says(welcome({ session: 's2' }));
    expect(call.snapshot().state).toBe('waiting');
  });
});

describe('chat', () => {
  test('is pending until the server has it, and bounded', async () => {
    const call = await enter();
    expect(call.say('   ')).toBe(false);
    expect(call.say('é'.repeat(2001))).toBe(false);
    expect(call.say('bonjour')).toBe(true);
    const sent = now().last('chat') as { id: string };
    expect(call.snapshot().chatPending).toHaveLength(1);
    now().says({ t: 'chat', seq: 2, id: sent.id, from: 'me', name: 'Léa D.', role: 'patient', at: '2026-03-10T09:00:01Z', text: 'bonjour' });
    expect(call.snapshot()).toMatchObject({ chatPending: [], chat: [{ text: 'bonjour' }] });
  });

  test('a refused message stays with its reason until it is sent again or forgotten', async () => {
    const call = await enter();
    call.say('trop vite');
    const { id } = now().last('chat') as { id: string };
    now().says({ t: 'error', code: 'chat_too_fast', seconds: 12, id });
    expect(call.snapshot().chatPending).toMatchObject([{ text: 'trop vite', refused: { code: 'chat_too_fast', seconds: 12 } }]);
    call.sayAgain(id);
    expect(now().last('chat')).toMatchObject({ id, text: 'trop vite' });
    expect(call.snapshot().chatPending[0]).not.toHaveProperty('refused');
    now().says({ t: 'error', code: 'chat_full', id });
    call.forgetMessage(id);
    expect(call.snapshot().chatPending).toEqual([]);
  });
});

test('leaving says so, and frees everything', async () => {
  const call = await enter(admitted);
  call.leave();
  expect(now().last('leave')).toBeDefined();
  expect(call.snapshot()).toMatchObject({ state: 'ended', cause: 'left' });
  expect(pc().closed).toBe(true);
  let told = 0;
  call.subscribe(() => (told += 1));
  call.dispose();
  told = 0;
  now().says({ t: 'room', seq: 2, seats: [] });
  expect(told).toBe(0);
});
