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

export type Place = 'day' | 'agenda' | 'patients' | 'post' | 'refusals';
const places: Record<StaffRole, readonly Place[]> = {
  doctor: ['day', 'agenda', 'patients'],
  nurse: ['day'],
  secretary: ['agenda', 'patients', 'post'],
  pharmacist: [],
  admin: [],
};

/** What a person finds in their menu, by role and by the rights given to them; the first one is their home. */
export function placesOf({ role, capabilities }: Pick<Staff, 'role' | 'capabilities'>): readonly Place[] {
  return capabilities?.includes('data-protection') ? [...places[role], 'refusals'] : places[role];
}

export const address: Record<Place, string> = { day: '/pro', agenda: '/pro/agenda', patients: '/pro/patients', post: '/pro/a-poster', refusals: '/pro/acces-refuses' };
