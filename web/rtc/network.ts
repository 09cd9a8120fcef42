// When the device changes network, or says that it has none.

interface Connection {
  type?: string;
  addEventListener?: (type: 'change', f: () => void) => void;
  removeEventListener?: (type: 'change', f: () => void) => void;
}

export interface NetworkEvents {
  /** Another way out: what stood on the old one is to be tried at once. */
  changed: () => void;
  /** The device says that it has no network, or has one again. A hint: media decides. */
  offline: (is: boolean) => void;
  /** The page came back into view. */
  seen: () => void;
  /** It went out of view. */
  hidden: () => void;
}

/** Several events tell of one change: this long they count as one, in ms. */
const same = 1000;

export class Network {
  offline = globalThis.navigator?.onLine === false;
  private last = Number.NEGATIVE_INFINITY;
  private type: string | undefined;
  private readonly connection = (globalThis.navigator as { connection?: Connection } | undefined)?.connection;

  constructor(private readonly on: NetworkEvents) {
    this.type = this.connection?.type;
    globalThis.addEventListener?.('online', this.online);
    globalThis.addEventListener?.('offline', this.away);
    this.connection?.addEventListener?.('change', this.another);
    globalThis.document?.addEventListener?.('visibilitychange', this.visible);
    globalThis.addEventListener?.('pageshow', this.visible);
  }

  private readonly online = () => {
    this.offline = false;
    this.on.offline(false);
    this.tell();
  };

  private readonly away = () => {
    this.offline = true;
    this.on.offline(true);
  };

  /** Also fires when only the speed is guessed anew: that is no change. */
  private readonly another = () => {
    const type = this.connection?.type;
    if (type === this.type) return;
    this.type = type;
    if (type !== 'none') this.tell();
  };

  private readonly visible = () => {
    if (globalThis.document?.visibilityState === 'visible') this.on.seen();
    else this.on.hidden();
  };

  private tell() {
    const now = performance.now();
    if (now - this.last < same) return;
    this.last = now;
    this.on.changed();
  }

  dispose() {
    globalThis.removeEventListener?.('online', this.online);
    globalThis.removeEventListener?.('offline', this.away);
    this.connection?.removeEventListener?.('change', this.another);
    globalThis.document?.removeEventListener?.('visibilitychange', this.visible);
    globalThis.removeEventListener?.('pageshow', this.visible);
  }
}
