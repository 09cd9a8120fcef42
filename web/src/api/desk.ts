/** One function per route that the professional's pages use. */
import { request, requestWithTag } from './client';
import type {
  Agenda,
  DayItem,
  Delivery,
  Encounter,
  IdentifiedHow,
  IdentityDocument,
  Medicine,
  PatientFile,
  PatientFound,
  Prescription,
  Report,
  ReportText,
  StaffBooking,
  StaffFound,
} from './deskTypes';
import type { Appointment, Booked, ConsentRecord, ConsentText, DocumentItem, List, PrescriptionCategory, PrescriptionLine } from './types';

const id = encodeURIComponent;

export const day = (date?: string) => request<List<DayItem>>(`/day${date ? `?date=${id(date)}` : ''}`);

export const encounter = (encounterId: string) => request<Encounter>(`/encounters/${id(encounterId)}`);
export const confirmIdentity = (encounterId: string, how: IdentifiedHow) =>
  request<Encounter>(`/encounters/${id(encounterId)}/identity`, { method: 'POST', body: { how } });
export const invite = (encounterId: string, staffId: string) =>
  request<Encounter>(`/encounters/${id(encounterId)}/participants`, { method: 'POST', body: { staffId } });
export const finish = (encounterId: string) => request<Encounter>(`/encounters/${id(encounterId)}/finish`, { method: 'POST' });

export const patients = (q: string, signal?: AbortSignal) =>
  request<List<PatientFound>>(`/patients?q=${id(q)}`, signal ? { signal } : {});
export const patientFile = (patientId: string) => request<PatientFile>(`/patients/${id(patientId)}`);
export const qualifyIdentity = (patientId: string, status: 'VALI' | 'QUAL', document: IdentityDocument) =>
  request<unknown>(`/patients/${id(patientId)}/identity`, { method: 'POST', body: { status, document } });
export const staff = (role: string) => request<List<StaffFound>>(`/staff?role=${id(role)}`);

export const attestConsent = (appointmentId: string, text: ConsentText, idempotencyKey: string) =>
  request<ConsentRecord>(`/appointments/${id(appointmentId)}/consent/oral`, {
    method: 'POST',
    body: { textId: text.id, sha256: text.sha256, decision: 'granted' },
    idempotencyKey,
  });

/** An answer and the tag a later edit must send back: the header when there is one, else what the body says. */
type Tagged<T> = { data: T; tag: string };

async function tagged<T extends { etag?: string; version: number }>(answer: Promise<{ data: T; etag: string | undefined }>): Promise<Tagged<T>> {
  const { data, etag } = await answer;
  return { data, tag: etag ?? data.etag ?? String(data.version) };
}

export const report = (encounterId: string) => tagged(requestWithTag<Report>(`/encounters/${id(encounterId)}/report`));
export const saveReport = (encounterId: string, text: ReportText, tag: string) =>
  tagged(requestWithTag<Report>(`/encounters/${id(encounterId)}/report`, { method: 'PUT', body: text, ifMatch: tag }));
export const signReport = (encounterId: string, version: number, idempotencyKey: string) =>
  request<{ documentId: string; version: number }>(`/encounters/${id(encounterId)}/report/sign`, {
    method: 'POST',
    body: { version },
    idempotencyKey,
  });
export const replaceDocument = (documentId: string, idempotencyKey: string) =>
  request<unknown>(`/documents/${id(documentId)}/replace`, { method: 'POST', body: {}, idempotencyKey });
export const patientDocuments = (patientId: string) => request<List<DocumentItem>>(`/documents?patientId=${id(patientId)}`);

export const medicines = (q: string, signal?: AbortSignal) =>
  request<List<Medicine>>(`/medicines?q=${id(q)}`, signal ? { signal } : {});
export const prescriptions = (encounterId: string) => request<List<Prescription>>(`/encounters/${id(encounterId)}/prescriptions`);
export const addPrescription = (encounterId: string, category: PrescriptionCategory, idempotencyKey: string) =>
  request<Prescription>(`/encounters/${id(encounterId)}/prescriptions`, { method: 'POST', body: { category }, idempotencyKey });
export const savePrescription = (prescriptionId: string, lines: PrescriptionLine[], tag: string) =>
  tagged(requestWithTag<Prescription>(`/prescriptions/${id(prescriptionId)}`, { method: 'PUT', body: { lines }, ifMatch: tag }));
export const deletePrescription = (prescriptionId: string) => request<void>(`/prescriptions/${id(prescriptionId)}`, { method: 'DELETE' });
/** `tag` is the version on the screen: what another tab changed meanwhile is refused, never signed unread. */
export const signPrescription = (prescriptionId: string, tag: string, idempotencyKey: string) =>
  request<{ documentId: string; verificationId: string }>(`/prescriptions/${id(prescriptionId)}/sign`, {
    method: 'POST',
    body: {},
    idempotencyKey,
    ifMatch: tag,
  });
export const replacePrescription = (prescriptionId: string, idempotencyKey: string) =>
  request<Prescription>(`/prescriptions/${id(prescriptionId)}/replace`, { method: 'POST', body: {}, idempotencyKey });
export const cancelPrescription = (prescriptionId: string, reason: string) =>
  request<unknown>(`/prescriptions/${id(prescriptionId)}/cancel`, { method: 'POST', body: { reason } });

export const deliveries = (encounterId: string) => request<List<Delivery>>(`/encounters/${id(encounterId)}/deliveries`);
export const toPost = () => request<List<Delivery>>('/deliveries?state=to-post');
export const markPosted = (deliveryId: string) => request<unknown>(`/deliveries/${id(deliveryId)}/posted`, { method: 'POST' });
export const retryDelivery = (deliveryId: string) => request<unknown>(`/deliveries/${id(deliveryId)}/retry`, { method: 'POST' });
/** Address of the printable sheet (cover with the postal address, then the documents). */
export const deliverySheet = (deliveryId: string) => `/api/deliveries/${id(deliveryId)}/sheet`;

export const agenda = (date: string, days: number) => request<Agenda>(`/agenda?date=${id(date)}&days=${days}`);
export const bookFor = (body: StaffBooking, idempotencyKey: string) =>
  request<Booked>('/staff/appointments', { method: 'POST', body, idempotencyKey });
export const resendLink = (appointmentId: string) => request<unknown>(`/appointments/${id(appointmentId)}/link`, { method: 'POST' });
export const revokeLink = (appointmentId: string) => request<void>(`/appointments/${id(appointmentId)}/link/revoke`, { method: 'POST' });
export const cancelFor = (appointmentId: string) =>
  request<Appointment>(`/appointments/${id(appointmentId)}/cancel`, { method: 'POST', body: {} });
