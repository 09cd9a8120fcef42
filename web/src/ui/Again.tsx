/** A button for another message, which cannot be pressed before one may be asked for and says when that is. */
import { useEffect, useId, useState, type ReactNode } from 'react';
import { Button } from './Button';

/** When another message may be asked for, on the clock of this device: an answer tells after how many seconds. */
export const againFrom = (seconds: number) => Date.now() + seconds * 1000;

/** Whole seconds until an instant, counted down. */
function useLeft(from: number): number {
  const [now, setNow] = useState(() => Date.now());
  const over = now >= from;
  useEffect(() => {
    setNow(Date.now());
    if (over) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [from, over]);
  return Math.max(0, Math.ceil((from - now) / 1000));
}

type Props = {
  /** As againFrom gives it. */
  from: number;
  /** The words for a wait. */
  waits: (seconds: number) => string;
  busy?: boolean;
  onPress: () => void;
  children: ReactNode;
};

export function AgainButton({ from, waits, busy = false, onPress, children }: Props) {
  const left = useLeft(from);
  const id = useId();
  return (
    <>
      <Button look="text" busy={busy} onPress={left > 0 ? () => undefined : onPress} {...(left > 0 ? { 'aria-describedby': id, 'aria-disabled': true as const } : {})}>
        {children}
      </Button>
      {left > 0 && <p id={id}>{waits(left)}</p>}
    </>
  );
}
