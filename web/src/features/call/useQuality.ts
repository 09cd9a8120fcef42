import type { Call, CallSnapshot, MediaFacts } from '@rtc/api';
import { useEffect, useRef, useState } from 'react';
import { qualityOf, type Quality } from './quality';

/** Milliseconds between two readings. */
const every = 4000;

export function useQuality(call: Call, snapshot: CallSnapshot): Quality {
  const [facts, setFacts] = useState<{ before: MediaFacts | null; now: MediaFacts | null; seconds: number }>({ before: null, now: null, seconds: 0 });
  const last = useRef<{ facts: MediaFacts; at: number } | null>(null);
  const live = snapshot.state === 'inCall';
  useEffect(() => {
    if (!live) {
      last.current = null;
      setFacts({ before: null, now: null, seconds: 0 });
      return;
    }
    let gone = false;
    const read = async () => {
      const now = await call.facts().catch(() => null);
      if (gone || !now) return;
      const at = performance.now();
      const before = last.current;
      last.current = { facts: now, at };
      setFacts({ before: before?.facts ?? null, now, seconds: before ? (at - before.at) / 1000 : 0 });
    };
    const timer = setInterval(() => void read(), every);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [call, live]);
  return qualityOf(snapshot, facts.before, facts.now, facts.seconds);
}
