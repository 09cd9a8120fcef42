/** Who sits at the desk. */
import { useQuery } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import * as calls from '@/api/calls';
import type { Me, StaffRole } from '@/api/types';

export type Staff = NonNullable<Me['staff']>;

export function useMe() {
  return useQuery({ queryKey: ['me'], queryFn: calls.me, staleTime: 60_000 });
}

export const StaffContext = createContext<Staff | null>(null);

/** The signed-in professional; only inside the desk. */
export function useStaff(): Staff {
  const staff = useContext(StaffContext);
  if (!staff) throw new Error('no professional is signed in');
  return staff;
}

export type Place = 'day' | 'agenda' | 'patients' | 'post';
const places: Record<StaffRole, readonly Place[]> = {
  doctor: ['day', 'agenda', 'patients'],
  nurse: ['day'],
  secretary: ['agenda', 'patients', 'post'],
  pharmacist: [],
  admin: [],
};

/** What each role finds in its menu, the first one being its home. */
export function placesOf(role: StaffRole): readonly Place[] {
  return places[role];
}

export const address: Record<Place, string> = { day: '/pro', agenda: '/pro/agenda', patients: '/pro/patients', post: '/pro/a-poster' };
