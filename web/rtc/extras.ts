// What a camera may know besides pictures, asked of the camera itself: a lamp, a blurred background, a still.
// Nothing is shipped for it: a browser that cannot says so, and the page has no button.

type More = { torch?: boolean; backgroundBlur?: boolean[] };

/** Seconds of a processor at its limit after which the blur is switched off. */
const slowFor = 5;

export class Extras {
  /** undefined: this camera cannot. */
  torch: boolean | undefined;
  blur: boolean | undefined;
  private camera: MediaStreamTrack | null = null;
  private slow = 0;

  constructor(private readonly changed: () => void) {}

  /** Another camera, or none. A blur that was wanted is wanted of the next one too. */
  use(camera: MediaStreamTrack | null) {
    const wanted = this.blur === true;
    this.camera = camera;
    const can = (camera?.getCapabilities?.() ?? {}) as More;
    this.torch = can.torch ? false : undefined;
    this.blur = can.backgroundBlur?.includes(true) ? false : undefined;
    this.slow = 0;
    if (wanted && this.blur === false) void this.setBlur(true);
  }

  async setTorch(on: boolean) {
    if (this.torch !== undefined && (await this.ask({ torch: on }))) this.torch = on;
    this.changed();
  }

  async setBlur(on: boolean) {
    if (this.blur !== undefined && (await this.ask({ backgroundBlur: on }))) this.blur = on;
    this.changed();
  }

  private async ask(what: Record<string, boolean>): Promise<boolean> {
    const camera = this.camera;
    if (!camera) return false;
    return camera.applyConstraints({ ...camera.getConstraints(), advanced: [what] } as MediaTrackConstraints).then(
      () => this.camera === camera,
      () => false,
    );
  }

  /** One second in which the processor was, or was not, what limits our picture. */
  tick(slow: boolean, seconds: number) {
    this.slow = slow ? this.slow + seconds : 0;
    if (this.blur && this.slow >= slowFor) void this.setBlur(false);
  }
}
