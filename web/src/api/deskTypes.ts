/** What the professional's pages read and write (see types.ts for the words shared with the patient's pages). */
import type {
  AppointmentStatus,
  ConsentState,
  DeliveryState,
  DispensingState,
  IdentityStatus,
  PrescriptionCategory,
  PrescriptionLine,
  Price,
  StaffRole,
} from './types';

export type Person = {
  id: string;
  displayName: string;
  role?: string;
  title?: string;
  specialtyLabel?: string;
  birthDate?: string;
  minor?: boolean;
  identityStatus?: IdentityStatus;
};

export type EncounterStatus = 'planned' | 'arrived' | 'in-progress' | 'finished' | 'cancelled';

export type DayItem = {
  encounterId: string;
  appointmentId: string;
  start: string;
  end: string;
  patient: Person;
  status: EncounterStatus;
  consent: ConsentState;
  waitingSince?: string;
  /** The patient's page is connected now. */
  online: boolean;
  identityStatus: IdentityStatus;
  firstTime: boolean;
  /** The reader is the professional responsible for the act. */
  host?: boolean;
  reason?: string;
};

export type Period = { start?: string; end?: string };

export type Encounter = {
  id: string;
  appointmentId: string;
  status: EncounterStatus;
  patient: Person;
  practitioner: Person;
  planned: Period;
  period: Period;
  identityConfirmed: boolean;
  identifiedHow?: IdentifiedHow;
  consent: ConsentState;
  host: boolean;
  participants: { person: Person; role: string; periods: Period[] }[];
  team: Person[];
  incidents: { at: string; code: string; text: string }[];
  /** Seconds during which video flowed both ways. */
  videoProof: { bothWaysSeconds: number };
};

export type IdentifiedHow = 'face-and-name' | 'document';

export type Sex = 'M' | 'F' | 'UN';

export type PatientFile = {
  id: string;
  displayName?: string;
  birthFamilyName: string;
  usedFamilyName?: string;
  birthGivenNames: string;
  firstGivenName?: string;
  usedGivenName?: string;
  sex: Sex;
  birthDate: string;
  birthPlaceCode?: string;
  birthPlaceName?: string;
  ins?: string;
  identityStatus: IdentityStatus;
  phone?: string;
  email?: string;
  address?: { street?: string; postalCode?: string; city?: string };
  representatives?: { displayName: string; relation: string }[];
  referringPractitioner?: { displayName: string };
};

export type PatientFound = {
  id: string;
  displayName: string;
  familyName?: string;
  givenName?: string;
  birthDate: string;
  sex?: Sex;
  identityStatus: IdentityStatus;
  phoneHint?: string;
  emailHint?: string;
};

export type IdentityDocument = 'id-card' | 'passport' | 'residence-permit' | 'birth-record' | 'family-book';

export type StaffFound = { id: string; displayName: string; role: StaffRole };

export type ReportText = { motive: string; text: string; conclusion: string; followUp: string };
export type Report = ReportText & {
  /** Empty until something was written. */
  id: string;
  /** Counts the edits; also the entity tag. */
  version: number;
  status: 'draft' | 'signed';
  /** The last signed version, and its number; 0 when none is. */
  documentId?: string;
  number?: number;
  etag?: string;
};

export type PrescriptionStatus = 'draft' | 'signed' | 'replaced' | 'cancelled';
export type Prescription = {
  id: string;
  category: PrescriptionCategory;
  status: PrescriptionStatus;
  version: number;
  lines: PrescriptionLine[];
  validUntil?: string;
  documentId?: string;
  verificationId?: string;
  /** Of a signed prescription for a pharmacy. */
  dispensed?: DispensingState;
  etag?: string;
};

export type Medicine = { cis: string; name: string; form?: string; routes?: string[] | string; inn?: string; cip13?: string };

export type Delivery = {
  id: string;
  kind: 'mssante' | 'email' | 'sms' | 'paper';
  to: { label: string; addressHint?: string };
  documents: (string | { id: string; title?: string })[];
  state: DeliveryState;
  attempts: number;
  nextAttemptAt?: string;
  reason?: string;
  history: { at: string; state: DeliveryState; reason?: string }[];
};

export type AgendaAppointment = {
  id: string;
  start: string;
  end: string;
  status: AppointmentStatus;
  patient: { id: string; displayName: string };
  encounterId?: string;
  waitingSince?: string;
  consent?: ConsentState;
  version?: number;
};

export type AgendaPractitioner = {
  id: string;
  displayName: string;
  appointments: AgendaAppointment[];
  freeSlots: { start: string; end: string }[];
};

export type Agenda = { zone: string; practitioners: AgendaPractitioner[] };

export type StaffBooking = {
  practitionerId: string;
  start: string;
  patientId?: string;
  patient?: { familyName: string; givenName: string; birthDate: string; phone?: string; email?: string };
  locale: 'fr' | 'en';
  zone: string;
  priceShown: Pick<Price, 'amountCents' | 'reimbursedCents'>;
};
