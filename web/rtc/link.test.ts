// The measured half of the link: figures in, words, share, reports and repair out. No network, no clock.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakePeerConnection, FakeStream } from './fakes';
import { Link } from './link';
import { Cushion, Steady, Thrift, wordOf } from './quality';
import type { QualityReport } from './report';
import { between, readingOf, type Sample } from './stats';

const sample = (more: Partial<Sample> = {}): Sample => ({
  seconds: 1, upKbps: 900, downKbps: 900, upLoss: 0, downLoss: 0, fps: new Map([['10', 25]]), freezes: 0, freezeMs: 0, madeUp: 0, heard: true, ago: 0, spoke: true, slow: false, ...more,
});
const seen = { pictures: ['10'], ownStopped: false };

describe('one second in one word', () => {
  test.each([
    ['25 pictures', sample(), seen, 'good'],
    ['5 pictures', sample({ fps: new Map([['10', 5]]) }), seen, 'weak'],
    ['none of the one expected', sample({ fps: new Map([['10', 0]]) }), seen, 'audio-only'],
    ['one of two moves', sample({ fps: new Map([['10', 0], ['11', 20]]) }), { ...seen, pictures: ['10', '11'] }, 'good'],
    ['none expected', sample({ fps: new Map() }), { ...seen, pictures: [] }, 'good'],
    ['a tenth lost on the way here', sample({ downLoss: 0.1 }), seen, 'weak'],
    ['a tenth lost on the way there', sample({ upLoss: 0.1 }), seen, 'weak'],
    ['frozen for most of it', sample({ freezeMs: 700 }), seen, 'weak'],
    ['an answer takes 700 ms', sample({ rttMs: 700 }), seen, 'weak'],
    ['our own picture stopped', sample(), { ...seen, ownStopped: true }, 'audio-only'],
  ] as const)('%s', (_name, s, expected, word) => expect(wordOf(s, expected)).toBe(word));
});

test('the word follows two bad seconds, and five good ones', () => {
  const steady = new Steady();
  const words = (list: string) => [...list].map((c) => (steady.add(({ g: 'good', w: 'weak', a: 'audio-only' } as const)[c as 'g' | 'w' | 'a']), steady.word[0])).join('');
  expect(words('gwgwg')).toBe('ggggg');
  expect(words('wa')).toBe('gw'); // weak was true of both
  expect(words('aa')).toBe('wa');
  expect(words('ggggw')).toBe('aaaaw'); // five seconds better than sound only
  expect(words('ggggg')).toBe('wwwwg');
});

describe('our own picture', () => {
  const run = (thrift: Thrift, s: Sample, seconds: number) => {
    const shares: string[] = [];
    for (let i = 0; i < seconds; i += 1) {
      const before = thrift.share;
      thrift.add(s);
      if (thrift.share !== before) shares.push(`${i + 1}:${thrift.share}`);
    }
    return shares.join(' ');
  };
  test('stops after 3 s that carry a voice only, is tried small after 8, whole after 5 more', () => {
    const thrift = new Thrift();
    expect(run(thrift, sample({ maySend: 2_000_000 }), 60)).toBe('');
    expect(run(new Thrift(), sample({ maySend: 147_000, upLoss: 0.3 }), 2)).toBe('2:none');
    // Chromium's estimate stops where a voice with its copies and the smallest picture stand.
    expect(run(thrift, sample({ maySend: 147_000 }), 3)).toBe('3:none');
    expect(run(thrift, sample({ maySend: 400_000 }), 30)).toBe('8:small 13:full');
  });
  test('a trial that fails waits twice as long for the next, and a minute at most', () => {
    const thrift = new Thrift();
    expect(run(thrift, sample({ maySend: 80_000 }), 200)).toBe('3:none 11:small 16:none 32:small 37:none 69:small 74:none 134:small 139:none 199:small');
  });
  test('a bad second now and then changes nothing; three of five do', () => {
    const thrift = new Thrift();
    for (let i = 0; i < 20; i += 1) {
      run(thrift, sample({ maySend: 80_000 }), 1);
      run(thrift, sample({ maySend: 900_000 }), 2);
    }
    expect(thrift.share).toBe('full');
    run(thrift, sample({ maySend: 80_000 }), 1);
    run(thrift, sample({ maySend: 900_000 }), 1);
    expect(run(thrift, sample({ maySend: 80_000 }), 2)).toBe('2:none');
  });
  test('loss by chance keeps the spare copies of the voice, loss of a full link does not', () => {
    const thrift = new Thrift();
    thrift.add(sample({ rttMs: 30 }));
    run(thrift, sample({ rttMs: 30, upLoss: 0.2, maySend: 60_000 }), 3);
    expect([thrift.share, thrift.lossy]).toEqual(['none', true]);
    run(thrift, sample({ rttMs: 330, upLoss: 0.2, maySend: 60_000 }), 4);
    expect(thrift.lossy).toBe(true);
    run(thrift, sample({ rttMs: 330, upLoss: 0.2, maySend: 60_000 }), 1);
    expect(thrift.lossy).toBe(false);
  });
  test('loss with a queue is a narrow link: the browser’s own estimate is not waited for', () => {
    const thrift = new Thrift();
    thrift.add(sample({ rttMs: 30 }));
    expect(run(thrift, sample({ rttMs: 330, upLoss: 0.15, maySend: 250_000 }), 4)).toBe('3:none');
  });
  test('random loss of a fifth does not cost the picture, four tenths do', () => {
    expect(run(new Thrift(), sample({ upLoss: 0.2, maySend: 700_000 }), 60)).toBe('');
    expect(run(new Thrift(), sample({ upLoss: 0.5 }), 4)).toBe('3:none');
  });
});

test('sound is held back after two patchy seconds of five, until twenty good ones have passed', () => {
  const cushion = new Cushion();
  const play = (madeUp: number, seconds: number) => Array.from({ length: seconds }, () => cushion.add(sample({ madeUp }))).filter(Boolean).length;
  expect([play(0, 10), play(0.05, 1), play(0, 4), play(0.05, 1), cushion.ms]).toEqual([0, 0, 0, 0, null]);
  expect([play(0, 3), play(0.05, 1), cushion.ms]).toEqual([0, 1, 120]);
  expect([play(0, 19), play(0.05, 1), play(0, 19), cushion.ms]).toEqual([0, 0, 0, 120]);
  expect([play(0, 1), cushion.ms]).toEqual([1, null]);
});

describe('two readings', () => {
  const rows = (n: number) => [
    { id: 't', type: 'transport', selectedCandidatePairId: 'p' },
    { id: 'p', type: 'candidate-pair', localCandidateId: 'l', bytesReceived: n * 100_000, bytesSent: n * 50_000, responsesReceived: n, currentRoundTripTime: 0.08, availableOutgoingBitrate: 640_000 },
    { id: 'l', type: 'local-candidate', candidateType: 'relay', relayProtocol: 'tls', protocol: 'udp' },
    { id: 'a', type: 'inbound-rtp', kind: 'audio', packetsReceived: n * 48, packetsLost: n * 2, lastPacketReceivedTimestamp: 1_699_999_999_840 },
    { id: 'v', type: 'inbound-rtp', kind: 'video', mid: '10', packetsReceived: n * 50, packetsLost: 0, framesDecoded: n * 20, freezeCount: n, totalFreezesDuration: n * 0.2 },
    { id: 'never', type: 'inbound-rtp', kind: 'video', mid: '11', framesDecoded: 0 },
    { id: 'o', type: 'outbound-rtp', packetsSent: n * 60, qualityLimitationReason: 'cpu' },
    { id: 'r', type: 'remote-inbound-rtp', localId: 'o', fractionLost: 0.05 },
  ];
  test('give rates, shares and the path', () => {
    const s = between(readingOf(rows(1), 1000), readingOf(rows(2), 2000, 1_700_000_000_000));
    expect(s).toEqual({
      seconds: 1, upKbps: 400, downKbps: 800, upLoss: 0.05, downLoss: 0.02, fps: new Map([['10', 20]]), freezes: 1, freezeMs: 200, madeUp: 0,
      heard: true, ago: 160, spoke: true, rttMs: 80, maySend: 640_000, pair: 'relay-tls', slow: true,
    });
  });
  test('two pictures that stand still at once do not stand still twice as long', () => {
    const two = (first: number, second: number) => [
      { id: 'v1', type: 'inbound-rtp', kind: 'video', mid: '10', freezeCount: 1, totalFreezesDuration: first },
      { id: 'v2', type: 'inbound-rtp', kind: 'video', mid: '11', freezeCount: 3, totalFreezesDuration: second },
    ];
    expect(between(readingOf(two(0, 0.1), 1000), readingOf(two(0.9, 0.8), 2000))).toMatchObject({ freezes: 0, freezeMs: 900 });
    expect(between(readingOf([], 1000), readingOf(two(0.2, 0.8), 2000))).toMatchObject({ freezes: 3, freezeMs: 800 });
    expect(between(readingOf(two(0.9, 0.8), 1000), readingOf(two(0.1, 0.1), 2000))).toMatchObject({ freezes: 0, freezeMs: 0 });
  });
  test('of a layer that has stopped, the last word says nothing of now', () => {
    const sent = (voice: number, layer: number) => [
      { id: 'o1', type: 'outbound-rtp', packetsSent: voice }, { id: 'o2', type: 'outbound-rtp', packetsSent: layer },
      { id: 'r1', type: 'remote-inbound-rtp', localId: 'o1', fractionLost: 0.6 }, { id: 'r2', type: 'remote-inbound-rtp', localId: 'o2', fractionLost: 0 },
    ];
    expect(between(readingOf(sent(100, 9000), 1000), readingOf(sent(150, 9000), 2000)).upLoss).toBe(0.6);
    expect(between(readingOf(sent(100, 9000), 1000), readingOf(sent(150, 9050), 2000)).upLoss).toBe(0.3);
    expect(between(readingOf(sent(100, 9000), 1000), readingOf(sent(100, 9000), 2000)).upLoss).toBe(0);
  });
  test('count what comes on whichever pair of candidates', () => {
    const moved = (bytes: number) => rows(1).map((r) => (r.type === 'transport' ? { ...r, bytesReceived: bytes, bytesSent: bytes / 2 } : r));
    const first = readingOf(moved(100_000), 1000);
    expect(between(first, readingOf(moved(200_000), 2000))).toMatchObject({ heard: true, downKbps: 800, upKbps: 400 });
    expect(between(first, readingOf(moved(100_000), 2000)).heard).toBe(false);
  });
  test('of a silent path', () => expect(between(readingOf(rows(2), 1000), readingOf(rows(2), 2000))).toMatchObject({ heard: false, spoke: false, downLoss: 0, upKbps: 0 }));
  test('of a browser without `transport`', () => {
    const old = rows(1).filter((r) => r.type !== 'transport').map((r) => (r.id === 'p' ? { ...r, nominated: true, state: 'succeeded' } : r));
    expect(readingOf(old, 0).pair).toBe('relay-tls');
  });
});

describe('a link that is measured', () => {
  let link: Link;
  let reports: QualityReport[];
  let n: number;
  let doubts: number;
  let lastPair: { in: number; out: number };
  const offers: number[] = [];
  /** What getStats will say: a steady call, unless told otherwise. */
  let flow: { in: boolean; fps: number; maySend: number };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
    vi.stubGlobal('RTCRtpReceiver', {});
    vi.stubGlobal('RTCRtpSender', { getCapabilities: () => ({ codecs: [{ mimeType: 'audio/red' }, { mimeType: 'audio/opus' }] }) });
    vi.stubGlobal('MediaStream', FakeStream);
    FakePeerConnection.all = [];
    reports = [];
    offers.length = 0;
    n = 0;
    doubts = 0;
    lastPair = { in: 0, out: 0 };
    flow = { in: true, fps: 25, maySend: 900_000 };
    link = new Link(6, undefined, {
      offer: (pc) => offers.push(pc), report: (r) => reports.push(r), doubt: () => (doubts += 1), changed: () => undefined, opened: () => undefined,
      ice: async () => ({ servers: [], expiresAt: '2030-01-01T00:00:00Z', policy: 'all' }),
      reachable: () => true, session: () => 's1', may: () => true, expects: () => true, sendsCamera: () => true, second: () => undefined,
    });
  });
  afterEach(() => {
    link.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  async function up() {
    link.open();
    await vi.advanceTimersByTimeAsync(0);
    const pc = FakePeerConnection.all.at(-1) as FakePeerConnection;
    pc.stats = () => {
      n += 1;
      lastPair = { in: lastPair.in + (flow.in ? 90_000 : 0), out: lastPair.out + 60_000 };
      return [
        { id: 't', type: 'transport', selectedCandidatePairId: 'p' },
        { id: 'p', type: 'candidate-pair', bytesReceived: lastPair.in, bytesSent: lastPair.out, responsesReceived: 0, availableOutgoingBitrate: flow.maySend, localCandidateId: 'l' },
        { id: 'l', type: 'local-candidate', candidateType: 'host', protocol: 'udp' },
        { id: 'v', type: 'inbound-rtp', kind: 'video', mid: '10', packetsReceived: n * 50, framesDecoded: 10 + n * flow.fps },
        { id: 'o', type: 'outbound-rtp', packetsSent: n * 50 },
      ];
    };
    pc.becomes('connected');
    await vi.dynamicImportSettled();
    link.bind(1, [{ mid: '10', seat: 'doc', kind: 'video', source: 'camera' }]);
    return pc;
  }

  test('reports every 10 s, with figures and no more', async () => {
    await up();
    await vi.advanceTimersByTimeAsync(21_000);
    expect(reports).toHaveLength(2);
    expect(reports[1]).toMatchObject({ t: 'quality', word: 'good', ms: 10_000, upKbps: 480, downKbps: 720, downLoss: 0, freezes: 0, pair: 'udp' });
    expect(Object.keys(reports[1] ?? {}).sort()).toEqual(['downKbps', 'downLoss', 'freezeMs', 'freezes', 'ms', 'pair', 't', 'upKbps', 'upLoss', 'word']);
  });

  test('a weak upload: the picture stops, the voice takes less, and both come back by themselves', async () => {
    const pc = await up();
    await vi.advanceTimersByTimeAsync(3000);
    const [voice, camera] = pc.transceivers.map((t) => t.sender);
    expect(camera?.encodings.map((e) => e.active ?? true)).toEqual([true, true, true]);
    flow.maySend = 60_000;
    await vi.advanceTimersByTimeAsync(6000);
    expect(link.pictureStopped).toBe(true);
    expect(camera?.encodings.map((e) => e.active)).toEqual([false, false, false]);
    expect(voice?.encodings[0]).toMatchObject({ maxBitrate: 20_000, adaptivePtime: true, codec: { mimeType: 'audio/opus' } });
    expect(link.word).toBe('audio-only');
    expect(reports.at(-1)?.word).toBe('audio-only');
    flow.maySend = 900_000;
    await vi.advanceTimersByTimeAsync(9000);
    expect(camera?.encodings.map((e) => e.active)).toEqual([true, false, false]);
    await vi.advanceTimersByTimeAsync(12_000);
    expect(camera?.encodings.map((e) => e.active)).toEqual([true, true, true]);
    expect(voice?.encodings[0]).toEqual({ priority: 'high', maxBitrate: 48_000, adaptivePtime: false });
    expect(link.word).toBe('good');
  });

  test('a picture that stands still is said of that person, and is no fault of the path', async () => {
    await up();
    await vi.advanceTimersByTimeAsync(2000);
    expect(link.remote()[0]?.still).toBeUndefined();
    flow.fps = 0;
    await vi.advanceTimersByTimeAsync(1000); // the sum of the fake falls back once
    await vi.advanceTimersByTimeAsync(3000);
    expect(link.remote()[0]?.still).toBe(true);
    expect(link.media).toBe('up');
  });

  test('a picture that the server holds back stands still at once', async () => {
    await up();
    link.bind(1, [{ mid: '10', seat: 'doc', kind: 'video', source: 'camera', paused: true }]);
    expect(link.remote()[0]?.still).toBe(true);
  });

  test('silence is seen before ICE says so: restart at 1.5 s, unstable at 2, cut at 3, and back at the first byte', async () => {
    const pc = await up();
    await vi.advanceTimersByTimeAsync(5500);
    flow.in = false; // last heard at the fifth second
    await vi.advanceTimersByTimeAsync(1600);
    expect(link.media).toBe('unstable');
    await vi.advanceTimersByTimeAsync(1000);
    expect(link.media).toBe('cut');
    expect(pc.restarts).toBe(1);
    expect(offers).toEqual([1, 1]);
    flow.in = true;
    await vi.advanceTimersByTimeAsync(1000);
    expect(link.media).toBe('up');
    await vi.advanceTimersByTimeAsync(1000);
    expect(reports.map((r) => r.word)).toContain('lost');
    expect(reports.at(-1)).toMatchObject({ word: 'good' });
    expect(reports.flatMap((r) => r.faults ?? [])).toEqual([{ what: 'ice-restart', ms: 2500 }]);
  });

  /** Streams as the network lets them come: nothing in the given times (ms from now). */
  const streams = (pc: FakePeerConnection, without: (ms: number) => boolean) => {
    const from = Date.now();
    let at = 0;
    let stopped = false;
    const came = setInterval(() => {
      if (!without(Date.now() - from)) at += 1;
    }, 20);
    pc.newest = () => at;
    const rest = pc.stats;
    // Feedback for what we send goes on when the streams alone have stopped.
    pc.stats = () => rest().map((r) => (r.id === 'p' ? { ...r, bytesReceived: at * 1000 + (stopped ? n : 0) } : r));
    return () => {
      stopped = true;
      clearInterval(came);
    };
  };

  test('streams that stop and nothing else that comes either: asked about and repaired long before anything is shown', async () => {
    const pc = await up();
    const stop = streams(pc, (ms) => ms > 10_000);
    await vi.advanceTimersByTimeAsync(10_600);
    expect(doubts).toBe(0);
    await vi.advanceTimersByTimeAsync(300);
    expect([doubts, pc.restarts, link.media]).toEqual([1, 0, 'up']);
    await vi.advanceTimersByTimeAsync(350);
    link.reachable(); // the socket was dead too, and is new
    await vi.advanceTimersByTimeAsync(10);
    expect([pc.restarts, link.media]).toEqual([1, 'up']);
    await vi.advanceTimersByTimeAsync(1100);
    expect(link.media).toBe('unstable');
    stop();
    pc.newest = () => Date.now();
    await vi.advanceTimersByTimeAsync(250); // not at the end of the second
    expect([link.media, pc.restarts]).toEqual(['up', 1]);
  });

  test('people who all fall silent are no path that is gone: feedback for what we send goes on', async () => {
    const pc = await up();
    const stop = streams(pc, () => false);
    await vi.advanceTimersByTimeAsync(10_000);
    stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([doubts, pc.restarts, link.media]).toEqual([1, 0, 'up']);
  });

  test.each([
    ['a second without a packet, now and then', (ms: number) => ms % 7000 > 6000],
    ['300 ms of each second', (ms: number) => ms % 1000 > 700],
    ['1.3 s without a packet', (ms: number) => ms % 20_000 > 18_700],
  ])('a bad network is not repaired: %s', async (_name, without) => {
    const pc = await up();
    const stop = streams(pc, without);
    await vi.advanceTimersByTimeAsync(60_000);
    stop();
    expect([pc.restarts, offers, link.media]).toEqual([0, [1], 'up']);
  });

  test('another network: a new path at once, the same connection', async () => {
    const pc = await up();
    link.moved();
    await vi.advanceTimersByTimeAsync(0);
    expect(pc.restarts).toBe(1);
    expect(link.media).toBe('up');
    expect(FakePeerConnection.all).toHaveLength(1);
  });

  test('a page that slept says nothing of the link', async () => {
    await up();
    await vi.advanceTimersByTimeAsync(3000);
    flow.in = false;
    vi.setSystemTime(Date.now() + 60_000);
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 60_000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(link.media).toBe('up');
  });
});
