/** The professional's seat in the call. */
import { useQueryClient } from '@tanstack/react-query';
import type { Call, CallSnapshot } from '@rtc/api';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { openCall } from '@/features/call/engine';
import { isDevice } from '@/features/call/people';
import { toAdmit } from './stage';

export type DeskCall = { call: Call; snapshot: CallSnapshot };

const nothing = () => () => undefined;

/**
 * Takes the professional's seat as soon as the page opens: the patient's page
 * says that the doctor is there. The camera opens when somebody is let in, or
 * when one comes back to a call under way.
 */
export function useDeskCall(encounterId: string, active: boolean): { desk: DeskCall | null; failed: boolean } {
  const [call, setCall] = useState<Call | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!active) return;
    let left = false;
    let made: Call | undefined;
    openCall(encounterId).then(
      (opened) => {
        if (left) return opened.dispose();
        made = opened;
        opened.start();
        setCall(opened);
      },
      () => !left && setFailed(true),
    );
    return () => {
      left = true;
      made?.dispose();
      setCall(null);
    };
  }, [encounterId, active]);
  const snapshot = useSyncExternalStore(call?.subscribe ?? nothing, () => call?.snapshot() ?? null);
  return { desk: call && snapshot ? { call, snapshot } : null, failed };
}

/** Opens the devices and lets the patient in, once, when the doctor pressed « Recevoir » on the day's list. */
export function useReceive(desk: DeskCall | null, wanted: boolean) {
  const done = useRef(false);
  useEffect(() => {
    if (!desk || !wanted || done.current || !desk.snapshot.me) return;
    const waiting = toAdmit(desk.snapshot.seats);
    if (waiting.length === 0) return;
    done.current = true;
    letIn(desk.call, waiting.map((s) => s.seat));
  }, [desk, wanted]);
}

/** Somebody is already in (the page was reloaded, or a nurse was let in): our own picture and voice come back. */
export function useDevicesInCall(desk: DeskCall | null) {
  const opened = useRef(false);
  useEffect(() => {
    if (!desk || opened.current || desk.snapshot.me?.state !== 'admitted') return;
    if (!desk.snapshot.seats.some((s) => s.seat !== desk.snapshot.me?.seat && s.state === 'admitted' && !isDevice(s))) return;
    opened.current = true;
    openDevices(desk.call);
  }, [desk]);
}

/** Reads the photos of the act again when the call says that there is one more. */
export function useFreshStills(encounterId: string, desk: DeskCall | null) {
  const client = useQueryClient();
  const kept = desk?.snapshot.stills.map((r) => r.still ?? '').join() ?? '';
  useEffect(() => {
    if (kept.replaceAll(',', '') !== '') void client.invalidateQueries({ queryKey: ['stills', encounterId] });
  }, [client, encounterId, kept]);
}

/** Lets seats in; our own camera and microphone open with the first. */
export function letIn(call: Call, seats: readonly string[]) {
  openDevices(call);
  for (const seat of seats) call.admit(seat);
}

function openDevices(call: Call) {
  const { devices } = call.snapshot();
  if (devices.camera.state === 'off' && devices.microphone.state === 'off') void call.openDevices();
}
