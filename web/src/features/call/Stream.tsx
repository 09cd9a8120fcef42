import { useEffect, useRef, useState } from 'react';

type Props = {
  stream: MediaStream | undefined;
  label?: string;
  className?: string | undefined;
  /** Called when the browser refuses to play sound without a tap. */
  onRefused?: () => void;
  /** Told how high the picture is drawn, in device pixels, and null when it is drawn no more. */
  onHeight?: ((px: number | null) => void) | undefined;
};

/** How long the stream before stays when the next does not begin, in ms. */
const patience = 2000;

/**
 * Of a stream and the one that follows it, both while the next begins (the call moved to another server, a camera was
 * changed): nothing is black, silent or heard twice in between. `shown` is the one to see and hear.
 */
function useFollowed(stream: MediaStream | undefined) {
  const [begun, setBegun] = useState(stream);
  // With nothing before or nothing after, there is nothing to wait for.
  const shown = stream && begun ? begun : stream;
  useEffect(() => {
    if (shown === stream) {
      setBegun(stream);
      return;
    }
    const late = setTimeout(() => setBegun(stream), patience);
    return () => clearTimeout(late);
  }, [shown, stream]);
  return { streams: shown === stream ? [stream] : [shown, stream], shown, begins: () => setBegun(stream) };
}

/** A live picture. Sound goes through Sound, so that a tile that moves never cuts a voice. */
export function Picture({ stream, label, className, onHeight }: Props) {
  const { streams, shown, begins } = useFollowed(stream);
  return streams.map((s) =>
    s === shown ? (
      <Video key={s?.id ?? ''} stream={s} label={label} className={className} onHeight={onHeight} />
    ) : (
      <Video key={s?.id ?? ''} stream={s} className={className} onPlaying={begins} />
    ),
  );
}

type VideoProps = Props & { onPlaying?: () => void };

/** One that is told when it plays does not show yet. */
function Video({ stream, label, className, onHeight, onPlaying }: VideoProps) {
  const element = useRef<HTMLVideoElement>(null);
  const tell = useRef(onHeight);
  tell.current = onHeight;
  const watched = onHeight !== undefined;
  useEffect(() => {
    const video = element.current;
    if (!video || !watched || typeof ResizeObserver === 'undefined') return;
    const watch = new ResizeObserver(() => tell.current?.(video.clientHeight * devicePixelRatio));
    watch.observe(video);
    const last = tell;
    return () => {
      watch.disconnect();
      last.current?.(null);
    };
  }, [watched]);
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    video.srcObject = stream ?? null;
    if (stream) void video.play().catch(() => undefined);
    return () => {
      video.srcObject = null;
    };
  }, [stream]);
  const hidden = onPlaying && { 'aria-hidden': true, style: { position: 'absolute', inset: 0, opacity: 0 } as const };
  return <video ref={element} className={className} aria-label={label} muted autoPlay playsInline disablePictureInPicture onPlaying={onPlaying} {...hidden} />;
}

export function Sound({ stream, onRefused }: Props) {
  const { streams, shown, begins } = useFollowed(stream);
  return streams.map((s) => <Audio key={s?.id ?? ''} stream={s} onRefused={onRefused} onPlaying={s === shown ? undefined : begins} />);
}

/** One that is told when it plays is not heard yet. */
function Audio({ stream, onRefused, onPlaying }: Pick<Props, 'stream' | 'onRefused'> & { onPlaying?: (() => void) | undefined }) {
  const element = useRef<HTMLAudioElement>(null);
  const refused = useRef(onRefused);
  refused.current = onRefused;
  useEffect(() => {
    const audio = element.current;
    if (!audio) return;
    audio.srcObject = stream ?? null;
    if (stream) {
      audio.play().catch((cause: unknown) => {
        if (cause instanceof DOMException && cause.name === 'NotAllowedError') refused.current?.();
      });
    }
    // A phone call, or a phone put away, pauses what plays (iOS): it goes on when the page is in view again.
    const resume = () => {
      if (document.hidden || !audio.paused || !audio.srcObject) return;
      audio.play().catch((cause: unknown) => cause instanceof DOMException && cause.name === 'NotAllowedError' && refused.current?.());
    };
    document.addEventListener('visibilitychange', resume);
    audio.addEventListener('pause', resume);
    return () => {
      document.removeEventListener('visibilitychange', resume);
      audio.removeEventListener('pause', resume);
      audio.srcObject = null;
    };
  }, [stream]);
  return <audio ref={element} autoPlay data-sound muted={onPlaying !== undefined} onPlaying={onPlaying} />;
}
