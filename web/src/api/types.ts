/**
 * The answers and requests of the API as the pages use them (docs: the OpenAPI
 * document served by the binary). Times are RFC 3339 UTC, days YYYY-MM-DD,
 * money in cents.
 */
export type Level = 'none' | 'link' | 'code' | 'psc';
export type StaffRole = 'doctor' | 'nurse' | 'secretary' | 'pharmacist' | 'admin';
export type IdentityStatus = 'PROV' | 'RECUP' | 'VALI' | 'QUAL';

export type Me = {
  kind: 'anonymous' | 'patient' | 'staff';
  level: Level;
  locale?: string;
  patient?: { id: string; displayName: string; birthDate: string; minor: boolean; identityStatus: IdentityStatus };
  staff?: {
    id: string;
    displayName: string;
    role: StaffRole;
    title?: string;
    specialtyLabel?: string;
    organizationName: string;
  };
  appointmentId?: string;
};

export type CodeSent = { channel: 'sms' | 'email'; hint: string; expiresAt: string };

export type Specialty = { code: string; label: string };

export type Price = {
  amountCents: number;
  reimbursedCents: number;
  remainingCents: number;
  rateLabel: string;
  explanation: string;
  source: string;
};

export type Practitioner = {
  id: string;
  displayName: string;
  title?: string;
  specialtyCode?: string;
  specialtyLabel?: string;
  rpps?: string;
  organizationName?: string;
  city?: string;
  nextSlot?: { start: string; end: string };
  price?: Price;
  bio?: string;
  languages?: string[];
};

export type Slot = { scheduleId: string; start: string; end: string };
export type Slots = { zone: string; items: Slot[] };

export type BookingRequest = {
  practitionerId: string;
  start: string;
  patient: { familyName: string; givenName: string; birthDate: string; phone?: string; email?: string };
  locale: 'fr' | 'en';
  zone: string;
  priceShown: { amountCents: number; reimbursedCents: number };
};

export type Booked = {
  id: string;
  status: 'booked';
  start: string;
  end: string;
  practitioner: Practitioner;
  sentTo: { email?: string; sms?: string };
};

export type AppointmentStatus = 'booked' | 'arrived' | 'fulfilled' | 'cancelled' | 'noshow';

export type Appointment = {
  id: string;
  status: AppointmentStatus;
  start: string;
  end: string;
  zone: string;
  practitioner: Practitioner;
  patient: { id: string; displayName: string };
  price?: Price;
  encounterId?: string;
  canMove: boolean;
  canCancel: boolean;
  version: number;
};

export type ConsentState = 'none' | 'granted' | 'refused' | 'withdrawn';
export type ConsentText = { id: string; purpose: string; version: number; language: string; sha256: string; html: string };
export type ConsentRecord = {
  id: string;
  at: string;
  channel: 'web' | 'oral' | 'representative';
  textId: string;
  version: number;
  language: string;
  sha256: string;
  by: string;
};
export type Consent = { status: ConsentState; record?: ConsentRecord };
export type ConsentDecision = {
  textId: string;
  sha256: string;
  decision: 'granted' | 'refused';
  channel: 'web' | 'representative';
  representative?: { name: string; relation: string };
};

export type Admission = { ticket: string; expiresAt: string; url: string };

export type DocumentItem = {
  id: string;
  kind: 'report' | 'prescription';
  typeCode?: string;
  title: string;
  author: { displayName: string; title?: string };
  act?: string;
  date: string;
  confidentiality?: string;
  version: number;
  status: 'current' | 'replaced';
  encounterId?: string;
  delivery?: { state: DeliveryState; at: string };
  dispensing?: { state: DispensingState; at?: string; pharmacy?: string };
};

export type DeliveryState =
  | 'waiting-identity'
  | 'queued'
  | 'sending'
  | 'sent'
  | 'accepted'
  | 'refused'
  | 'bounced'
  | 'to-post'
  | 'posted';

export type DocumentAccess = { at: string; who: string; role: string; action: string };

export type Verification = {
  genuine: boolean;
  state: 'valid' | 'replaced' | 'cancelled' | 'expired';
  signedAt: string;
  prescriber: { displayName: string; title?: string; rpps?: string; organizationName?: string };
  patientInitials?: string;
  category?: PrescriptionCategory;
  lines?: PrescriptionLine[];
  /** Absent from what no pharmacy dispenses; only `state` without the code of the sheet. */
  dispensing?: Counter;
};

export type DispensingState = 'none' | 'partial' | 'dispensed' | 'complete';
export type Counter = { state: DispensingState; renewal: number; lines?: CounterLine[]; entries?: Dispensing[]; etag?: string };
export type CounterLine = { line: number; renewal: number; extent: 'none' | 'partial' | 'full'; given: number; due: boolean };
export type Given = { line: number; extent: 'partial' | 'full'; quantity: number };
export type Dispensing = {
  id: string;
  at: string;
  pharmacy: string;
  by: string;
  renewal: number;
  lines: Given[];
  state: 'recorded' | 'withdrawn';
  mistake?: string;
  /** Of the pharmacy of the reader. */
  mine: boolean;
  /** Of a version that this one replaces. */
  earlier: boolean;
};

export type PrescriptionCategory = 'medicines' | 'biology' | 'imaging' | 'nursing' | 'physiotherapy' | 'device' | 'other';
export type PrescriptionLine = {
  text?: string;
  cis?: string;
  name?: string;
  inn?: string;
  form?: string;
  dose?: string;
  frequency?: string;
  durationDays?: number;
  quantity?: string | number;
  renewals?: number;
  nonSubstitutable?: 'MTE' | 'EFG' | 'CIF';
  /** Words for the pharmacist. */
  pharmacist?: string;
  ald?: boolean;
  workAccident?: boolean;
  notReimbursable?: boolean;
  offLabel?: boolean;
};

export type List<T> = { items: T[] };
