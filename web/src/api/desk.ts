/** One function per route that the professional's pages use. */
import { address, call, callWithTag } from './call';
import type { AttestedBy, DeclarationGiven, DeviceDirection, EmergencyReason, IdentifiedHow, IdentityDocument, ReportText, StaffBooking } from './deskTypes';
import type { ConsentScreen, ConsentText, PrescriptionCategory, PrescriptionLine, StaffRole } from './types';

export const day = (date?: string) => call('GET /api/day', { query: { date } });

export const encounter = (id: string) => call('GET /api/encounters/{id}', { path: { id } });
export const declaration = (appointment: string) => call('GET /api/appointments/{id}/declaration', { path: { id: appointment } });
export const saveDeclaration = (appointment: string, body: DeclarationGiven, tag: string) =>
  call('PUT /api/appointments/{id}/declaration', { path: { id: appointment }, body, ifMatch: tag });
export const connectionChecks = (id: string) => call('GET /api/encounters/{id}/checks', { path: { id } });
export const callQuality = (id: string) => call('GET /api/encounters/{id}/quality', { path: { id } });
export const confirmIdentity = (id: string, how: IdentifiedHow) =>
  call('POST /api/encounters/{id}/identity', { path: { id }, body: { how } });
export const invite = (id: string, staffId: string) => call('POST /api/encounters/{id}/participants', { path: { id }, body: { staffId } });
export const devices = (id: string) => call('GET /api/encounters/{id}/devices', { path: { id } });
export const addDevice = (id: string, label: string, direction: DeviceDirection) =>
  call('POST /api/encounters/{id}/devices', { path: { id }, body: { label, direction } });
export const removeDevice = (id: string, device: string) => call('DELETE /api/encounters/{id}/devices/{device}', { path: { id, device } });
export const stills = (id: string) => call('GET /api/encounters/{id}/stills', { path: { id } });
export const finish = (id: string) => call('POST /api/encounters/{id}/finish', { path: { id } });

export const patients = (q: string, signal?: AbortSignal) => call('GET /api/patients', { query: { q }, signal });
export const patientFile = (id: string) => call('GET /api/patients/{id}', { path: { id } });
export const qualifyIdentity = (id: string, status: 'VALI' | 'QUAL', document: IdentityDocument) =>
  call('POST /api/patients/{id}/identity', { path: { id }, body: { status, document } });
export const staff = (role: StaffRole) => call('GET /api/staff', { query: { role } });

export const attestConsent = (id: string, text: ConsentText, who: AttestedBy, screen: ConsentScreen, idempotencyKey: string) =>
  call('POST /api/appointments/{id}/consent/oral', {
    path: { id },
    body: { textId: text.id, sha256: text.sha256, decision: 'granted', ...who, screen },
    idempotencyKey,
  });
export const beginInEmergency = (id: string, body: EmergencyReason, idempotencyKey: string) =>
  call('POST /api/appointments/{id}/consent/emergency', { path: { id }, body, idempotencyKey });

/** An answer and the tag a later edit must send back: the header when there is one, else what the body says. */
type Tagged<T> = { data: T; tag: string };

async function tagged<T extends { version: number }>(answer: Promise<{ data: T; etag: string | undefined }>): Promise<Tagged<T>> {
  const { data, etag } = await answer;
  return { data, tag: etag ?? String(data.version) };
}

export const report = (id: string) => tagged(callWithTag('GET /api/encounters/{id}/report', { path: { id } }));
export const saveReport = (id: string, body: ReportText, tag: string) =>
  tagged(callWithTag('PUT /api/encounters/{id}/report', { path: { id }, body, ifMatch: tag }));
export const signReport = (id: string, version: number, idempotencyKey: string) =>
  call('POST /api/encounters/{id}/report/sign', { path: { id }, body: { version }, idempotencyKey });
export const replaceDocument = (id: string, idempotencyKey: string) =>
  call('POST /api/documents/{id}/replace', { path: { id }, body: {}, idempotencyKey });
export const patientDocuments = (patientId: string) => call('GET /api/documents', { query: { patientId } });

export const medicines = (q: string, signal?: AbortSignal) => call('GET /api/medicines', { query: { q }, signal });
export const prescriptions = (id: string) => call('GET /api/encounters/{id}/prescriptions', { path: { id } });
export const addPrescription = (id: string, category: PrescriptionCategory, idempotencyKey: string) =>
  call('POST /api/encounters/{id}/prescriptions', { path: { id }, body: { category }, idempotencyKey });
export const savePrescription = (id: string, body: { lines: PrescriptionLine[]; weightKg?: number; heightCm?: number }, tag: string) =>
  tagged(callWithTag('PUT /api/prescriptions/{id}', { path: { id }, body, ifMatch: tag }));
export const deletePrescription = (id: string) => call('DELETE /api/prescriptions/{id}', { path: { id } });
/** `tag` is the version on the screen: what another tab changed meanwhile is refused, never signed unread. */
export const signPrescription = (id: string, tag: string, idempotencyKey: string) =>
  call('POST /api/prescriptions/{id}/sign', { path: { id }, body: {}, ifMatch: tag, idempotencyKey });
export const replacePrescription = (id: string, idempotencyKey: string) =>
  call('POST /api/prescriptions/{id}/replace', { path: { id }, body: {}, idempotencyKey });
export const cancelPrescription = (id: string, reason: string) =>
  call('POST /api/prescriptions/{id}/cancel', { path: { id }, body: { reason } });

export const deliveries = (id: string) => call('GET /api/encounters/{id}/deliveries', { path: { id } });
export const toPost = () => call('GET /api/deliveries', { query: { state: 'to-post' } });
export const markPosted = (id: string) => call('POST /api/deliveries/{id}/posted', { path: { id } });
export const retryDelivery = (id: string) => call('POST /api/deliveries/{id}/retry', { path: { id } });
/** Address of the printable sheet (cover with the postal address, then the documents). */
export const deliverySheet = (id: string) => address('/api/deliveries/{id}/sheet', { id });

export const agenda = (date: string, days: number) => call('GET /api/agenda', { query: { date, days } });
export const bookFor = (body: StaffBooking, idempotencyKey: string) => call('POST /api/staff/appointments', { body, idempotencyKey });
export const resendLink = (id: string) => call('POST /api/appointments/{id}/link', { path: { id } });
export const revokeLink = (id: string) => call('POST /api/appointments/{id}/link/revoke', { path: { id } });
export const cancelFor = (id: string) => call('POST /api/appointments/{id}/cancel', { path: { id }, body: {} });

export type RefusalSearch = { person?: string; alarm?: string; from?: string; until?: string };
export const refusalAlarms = (state: 'open' | 'settled', before?: string) => call('GET /api/refusal-alarms', { query: { state, ...(before ? { before } : {}) } });
export const refusalAlarm = (id: string) => call('GET /api/refusal-alarms/{id}', { path: { id } });
export const settleAlarm = (id: string, reason: string, idempotencyKey: string) =>
  call('POST /api/refusal-alarms/{id}/settle', { path: { id }, body: { reason }, idempotencyKey });
export const refusals = (search: RefusalSearch, before?: string) => call('GET /api/refusals', { query: { ...search, ...(before ? { before } : {}) } });
export const refusedPeople = () => call('GET /api/refusals/people');
