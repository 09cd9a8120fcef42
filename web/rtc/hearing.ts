// Listens to our own microphone: its level for a meter, and whether it gives nothing but digital silence.

/** −60 dBFS…0 dBFS as 0…1. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const x of samples) sum += x * x;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  if (rms <= 0) return 0;
  return Math.min(1, Math.max(0, 1 + Math.log10(rms) / 3));
}

/** How long a microphone may give nothing but zeros before we say so, in ms: at first, and once it was heard. */
export const silentAfter = { first: 5000, later: 15_000 } as const;
const lookEvery = 250;

/** `true`: it gives nothing; `false`: it is heard again. */
export type SilenceTold = (silent: boolean) => void;

export class Hearing {
  private readonly context: AudioContext;
  private readonly source: MediaStreamAudioSourceNode;
  private readonly analyser: AnalyserNode;
  private readonly buffer: Float32Array<ArrayBuffer>;
  private readonly timer: ReturnType<typeof setInterval>;
  private quietSince = performance.now();
  private heard = false;
  private silent = false;

  constructor(
    private readonly track: MediaStreamTrack,
    private readonly told: SilenceTold,
  ) {
    this.context = new AudioContext();
    this.source = this.context.createMediaStreamSource(new MediaStream([track]));
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.source.connect(this.analyser);
    this.buffer = new Float32Array(this.analyser.fftSize);
    this.timer = setInterval(() => this.hark(), lookEvery);
  }

  /** 0…1 now. */
  level(): number {
    this.analyser.getFloatTimeDomainData(this.buffer);
    return levelOf(this.buffer);
  }

  /** The browser or a phone call had put sound to sleep (`interrupted` is Safari's word). */
  async wake() {
    if (this.context.state !== 'running' && this.context.state !== 'closed') await this.context.resume().catch(() => undefined);
  }

  private hark() {
    const now = performance.now();
    if (this.context.state !== 'running' || !this.track.enabled || this.track.muted) {
      this.quietSince = now;
      return;
    }
    this.analyser.getFloatTimeDomainData(this.buffer);
    if (this.buffer.some((x) => x !== 0)) {
      this.heard = true;
      this.quietSince = now;
      this.become(false);
    } else if (now - this.quietSince > (this.heard ? silentAfter.later : silentAfter.first)) this.become(true);
  }

  private become(silent: boolean) {
    if (this.silent === silent) return;
    this.silent = silent;
    this.told(silent);
  }

  close() {
    clearInterval(this.timer);
    this.source.disconnect();
    void this.context.close().catch(() => undefined);
  }
}
