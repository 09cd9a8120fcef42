import type { Call, CallSnapshot } from '@rtc/api';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { asProblem, type Problem } from '@/api/client';
import { openCall } from './engine';

export type OpenedCall = { call: Call | null; problem: Problem | null; retry: () => void };

/** Opens the call of an encounter for as long as the component lives; leaving the page frees camera and microphone. */
export function useCall(encounter: string): OpenedCall {
  const [call, setCall] = useState<Call | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let opened: Call | null = null;
    let gone = false;
    openCall(encounter).then(
      (made) => {
        if (gone) made.dispose();
        else setCall((opened = made));
      },
      (cause) => !gone && setProblem(asProblem(cause)),
    );
    return () => {
      gone = true;
      opened?.dispose();
      setCall(null);
    };
  }, [encounter, attempt]);
  const retry = () => {
    setProblem(null);
    setAttempt((n) => n + 1);
  };
  return { call, problem, retry };
}

/** What the page shows of the call, again at each change. */
export function useSnapshot(call: Call): CallSnapshot {
  return useSyncExternalStore(call.subscribe, call.snapshot);
}
