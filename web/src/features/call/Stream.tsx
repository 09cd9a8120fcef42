import { useEffect, useRef } from 'react';

type Props = {
  stream: MediaStream | undefined;
  label?: string;
  className?: string | undefined;
  /** Called when the browser refuses to play sound without a tap. */
  onRefused?: () => void;
  /** Told how high the picture is drawn, in device pixels, and null when it is drawn no more. */
  onHeight?: ((px: number | null) => void) | undefined;
};

/** A live picture. Sound goes through Sound, so that a tile that moves never cuts a voice. */
export function Picture({ stream, label, className, onHeight }: Props) {
  const element = useRef<HTMLVideoElement>(null);
  const tell = useRef(onHeight);
  tell.current = onHeight;
  useEffect(() => {
    const video = element.current;
    if (!video || !tell.current || typeof ResizeObserver === 'undefined') return;
    const watch = new ResizeObserver(() => tell.current?.(video.clientHeight * devicePixelRatio));
    watch.observe(video);
    return () => {
      watch.disconnect();
      tell.current?.(null);
    };
  }, []);
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    video.srcObject = stream ?? null;
    if (stream) void video.play().catch(() => undefined);
    return () => {
      video.srcObject = null;
    };
  }, [stream]);
  return <video ref={element} className={className} aria-label={label} muted autoPlay playsInline disablePictureInPicture />;
}

export function Sound({ stream, onRefused }: Props) {
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
  return <audio ref={element} autoPlay data-sound />;
}
