import { afterEach, describe, expect, test, vi } from 'vitest';
import { causeOf, Devices } from './devices';
import { levelOf } from './hearing';
import { withDtx, withVoiceNack } from './peer';
import { backOff, stateOf, type Known } from './state';
import { factsOf } from './stats';

test.each([
  ['Permission denied', 'denied'],
  ['Permission denied by system', 'system'],
  ['Permission dismissed', 'dismissed'],
  ['The request is not allowed by the user agent', 'denied'],
])('a refusal that says « %s » is %s', (message, cause) => expect(causeOf({ name: 'NotAllowedError', message })).toBe(cause));

test.each([
  ['NotAllowedError', 'denied'],
  ['SecurityError', 'forbidden'],
  ['NotFoundError', 'missing'],
  ['OverconstrainedError', 'missing'],
  ['NotReadableError', 'busy'],
  ['AbortError', 'busy'],
  ['TypeError', 'failed'],
])('%s is %s', (name, cause) => expect(causeOf({ name })).toBe(cause));

test('the level is 0 at −60 dBFS and 1 at full scale', () => {
  expect(levelOf(new Float32Array(8))).toBe(0);
  expect(levelOf(new Float32Array(8).fill(0.001))).toBeCloseTo(0);
  expect(levelOf(new Float32Array(8).fill(0.0316))).toBeCloseTo(0.5, 2);
  expect(levelOf(new Float32Array(8).fill(1))).toBe(1);
});

test('the wait between attempts grows to 5 s', () => {
  expect([0, 1, 2, 3, 4, 5, 20].map((n) => backOff(n, 0))).toEqual([300, 600, 1200, 2400, 4800, 5000, 5000]);
  expect(backOff(0, 1)).toBe(390);
});

test('every state is reached, and none by accident', () => {
  const started: Known = { phase: { at: 'started' }, media: 'none', cutFor: 0, signalling: false, offline: false, quality: 'good' };
  const may: Known = { ...started, seat: 'admitted', gate: { allowed: true } };
  const up: Known = { ...may, media: 'up' };
  expect(stateOf(started)).toEqual({ state: 'preparing' });
  expect(stateOf({ ...started, offline: true })).toEqual({ state: 'preparing', cause: 'offline' });
  expect(stateOf({ ...started, seat: 'lapsed' })).toEqual({ state: 'waiting' });
  expect(stateOf({ ...may, gate: { allowed: false, reason: 'consent_refused' } })).toEqual({ state: 'blocked', cause: 'consent_refused' });
  expect(stateOf({ ...up, held: true })).toEqual({ state: 'held' });
  expect(stateOf(may)).toEqual({ state: 'joining' });
  expect(stateOf(up)).toEqual({ state: 'live' });
  expect(stateOf({ ...up, offline: true })).toEqual({ state: 'live' }); // media decides, not the hint
  expect(stateOf({ ...up, quality: 'weak' })).toEqual({ state: 'weak', cause: 'weak' });
  expect(stateOf({ ...up, quality: 'audio-only' })).toEqual({ state: 'weak', cause: 'audio-only' });
  expect(stateOf({ ...up, media: 'unstable' })).toEqual({ state: 'weak', cause: 'unstable' });
  expect(stateOf({ ...up, signalling: true, quality: 'weak' })).toEqual({ state: 'reconnecting', cause: 'signalling' });
  expect(stateOf({ ...may, media: 'cut', cutFor: 59_999, signalling: true })).toEqual({ state: 'reconnecting', cause: 'media' });
  expect(stateOf({ ...may, media: 'cut', cutFor: 4000, offline: true })).toEqual({ state: 'reconnecting', cause: 'offline' });
  expect(stateOf({ ...may, media: 'cut', cutFor: 60_000 })).toEqual({ state: 'lost', cause: 'media' });
  expect(stateOf({ ...up, phase: { at: 'elsewhere', cause: 'taken' } })).toEqual({ state: 'elsewhere', cause: 'taken' });
  expect(stateOf({ ...up, phase: { at: 'ended', cause: 'host' } })).toEqual({ state: 'ended', cause: 'host' });
});

test('DTX is asked once, and only of Opus', () => {
  const sdp = 'a=fmtp:111 minptime=10;useinbandfec=1\r\na=fmtp:96 apt=97\r\n';
  expect(withDtx(sdp)).toBe('a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\na=fmtp:96 apt=97\r\n');
  expect(withDtx(withDtx(sdp))).toBe(withDtx(sdp));
});

test('losses of a voice and of its spare copies are asked for, once, and nothing else is touched', () => {
  const sdp = 'm=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\na=rtpmap:63 red/48000/2\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=rtpmap:9 G722/8000\r\na=rtpmap:96 VP8/90000\r\n';
  const asking = withVoiceNack(sdp);
  expect(asking.split('\r\n').filter((l) => !sdp.includes(l))).toEqual(['a=rtcp-fb:63 nack', 'a=rtcp-fb:111 nack']);
  expect(asking.indexOf('a=rtcp-fb:111 nack')).toBeGreaterThan(asking.indexOf('a=rtpmap:111'));
  expect(withVoiceNack(asking)).toBe(asking);
});

test('facts add up and name the path', () => {
  const rows = [
    { id: 'a', type: 'inbound-rtp', framesDecoded: 3, packetsLost: 1 },
    { id: 'b', type: 'inbound-rtp', totalAudioEnergy: 0.5, packetsLost: 2 },
    { id: 'twice', type: 'inbound-rtp', packetsLost: -1 },
    { id: 'c', type: 'outbound-rtp', framesSent: 9 },
    { id: 'd', type: 'media-source', totalAudioEnergy: 0.25 },
    { id: 'e', type: 'transport', selectedCandidatePairId: 'f' },
    { id: 'f', type: 'candidate-pair', localCandidateId: 'g' },
    { id: 'g', type: 'local-candidate', candidateType: 'relay', relayProtocol: 'tcp', protocol: 'udp' },
  ];
  expect(factsOf(rows)).toEqual({
    framesDecoded: 3, framesSent: 9, audioEnergyReceived: 0.5, audioEnergySent: 0.25, packetsLost: 3, path: { protocol: 'tcp', relayed: true },
  });
});

describe('devices', () => {
  afterEach(() => vi.unstubAllGlobals());
  const track = (kind: string) => ({ kind, label: `my ${kind}`, readyState: 'live', enabled: true, muted: false, stopped: false, getSettings: () => ({ deviceId: kind }), stop() { this.stopped = true; } });
  class Stream {
    constructor(readonly list: ReturnType<typeof track>[]) {}
    getAudioTracks() { return this.list.filter((t) => t.kind === 'audio'); }
    getVideoTracks() { return this.list.filter((t) => t.kind === 'video'); }
  }
  function world(open: (c: { audio?: unknown; video?: unknown }) => Stream) {
    vi.stubGlobal('MediaStream', Stream);
    vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: async (c: object) => open(c), addEventListener() {}, removeEventListener() {}, enumerateDevices: async () => [] } });
    const tracks: string[] = [];
    const devices = new Devices({ changed: () => undefined, track: (kind, t) => tracks.push(`${kind} ${t ? 'on' : 'off'}`) });
    return { devices, tracks };
  }

  test('one question for both', async () => {
    let asked = 0;
    const { devices, tracks } = world(() => {
      asked += 1;
      return new Stream([track('audio'), track('video')]);
    });
    await devices.open({ microphone: true, camera: true });
    expect(asked).toBe(1);
    expect(devices.status).toMatchObject({ microphone: { state: 'on' }, camera: { state: 'on', label: 'my video' } });
    expect(tracks).toEqual(['microphone on', 'camera on']);
  });

  test('a camera that is taken does not cost the voice', async () => {
    const { devices } = world((c) => {
      if (c.video) throw { name: 'NotReadableError' };
      return new Stream([track('audio')]);
    });
    await devices.open({ microphone: true, camera: true });
    expect(devices.status).toMatchObject({ microphone: { state: 'on' }, camera: { state: 'problem', cause: 'busy' } });
  });

  test('unplugged in use, and off again frees it', async () => {
    const camera = track('video');
    const { devices, tracks } = world(() => new Stream([camera]));
    await devices.open({ camera: true });
    (camera as unknown as { onended: () => void }).onended();
    expect(devices.status.camera).toEqual({ state: 'problem', cause: 'unplugged' });
    expect(tracks.at(-1)).toBe('camera off');
    const second = track('video');
    const again = world(() => new Stream([second]));
    await again.devices.open({ camera: true });
    again.devices.close('camera');
    expect(second.stopped).toBe(true);
    expect(again.devices.status.camera).toEqual({ state: 'off' });
  });

  test('no permission to ask at all', async () => {
    vi.stubGlobal('navigator', {});
    const devices = new Devices({ changed: () => undefined, track: () => undefined });
    await devices.open({ microphone: true });
    expect(devices.status.microphone).toEqual({ state: 'problem', cause: 'forbidden' });
  });
});
