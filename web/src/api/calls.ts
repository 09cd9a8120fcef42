/** One function per route that the patient's pages use. */
import { request } from './client';
import type {
  Admission,
  Appointment,
  Booked,
  BookingRequest,
  CodeSent,
  Consent,
  ConsentDecision,
  ConsentRecord,
  ConsentText,
  DocumentAccess,
  DocumentItem,
  List,
  Me,
  Practitioner,
  Slots,
  Specialty,
  Verification,
  Given,
} from './types';

const id = encodeURIComponent;

function query(params: Record<string, string | number | undefined>): string {
  const filled = Object.entries(params).filter((e): e is [string, string | number] => e[1] !== undefined && e[1] !== '');
  return filled.length === 0 ? '' : `?${filled.map(([k, v]) => `${k}=${id(String(v))}`).join('&')}`;
}

export const me = () => request<Me>('/me');
export const openLink = (token: string) => request<Me>('/links/open', { method: 'POST', body: { token } });
export const recoverLink = (to: { phone: string } | { email: string }) =>
  request<unknown>('/links/recover', { method: 'POST', body: to });
export const sendCode = (channel: 'sms' | 'email') => request<CodeSent>('/me/code', { method: 'POST', body: { channel } });
export const verifyCode = (code: string) => request<Me>('/me/code/verify', { method: 'POST', body: { code } });
export const signOut = () => request<void>('/me/sign-out', { method: 'POST' });

export const specialties = () => request<List<Specialty>>('/specialties');
export const practitioners = (find: { specialty?: string; q?: string }) =>
  request<List<Practitioner>>(`/practitioners${query(find)}`);
export const practitioner = (practitionerId: string) => request<Practitioner>(`/practitioners/${id(practitionerId)}`);
export const slots = (practitionerId: string, from: string, days: number) =>
  request<Slots>(`/practitioners/${id(practitionerId)}/slots${query({ from, days })}`);
export const book = (body: BookingRequest, idempotencyKey: string) =>
  request<Booked>('/appointments', { method: 'POST', body, idempotencyKey });

export const appointment = (appointmentId: string) => request<Appointment>(`/appointments/${id(appointmentId)}`);
export const moveAppointment = (appointmentId: string, start: string, version: number) =>
  request<Appointment>(`/appointments/${id(appointmentId)}/move`, { method: 'POST', body: { start }, ifMatch: version });
export const cancelAppointment = (appointmentId: string) =>
  request<Appointment>(`/appointments/${id(appointmentId)}/cancel`, { method: 'POST', body: {} });

export const consentText = (lang: string) =>
  request<ConsentText>(`/consent-texts${query({ purpose: 'teleconsultation', lang })}`);
export const consent = (appointmentId: string) => request<Consent>(`/appointments/${id(appointmentId)}/consent`);
export const decideConsent = (appointmentId: string, body: ConsentDecision, idempotencyKey: string) =>
  request<ConsentRecord>(`/appointments/${id(appointmentId)}/consent`, { method: 'POST', body, idempotencyKey });
export const withdrawConsent = (appointmentId: string) =>
  request<Consent>(`/appointments/${id(appointmentId)}/consent/withdraw`, { method: 'POST', body: {} });

/** One-time ticket for the live side of an act (docs/signaling.md §2.1). */
export const admission = (encounterId: string, signal?: AbortSignal) =>
  request<Admission>(`/encounters/${id(encounterId)}/admission`, { method: 'POST', ...(signal ? { signal } : {}) });

export const documents = (patientId?: string) => request<List<DocumentItem>>(`/documents${query({ patientId })}`);
export const documentAccesses = (documentId: string) =>
  request<List<DocumentAccess>>(`/documents/${id(documentId)}/accesses`);
/** Address of the PDF: the browser downloads it with the session cookie. */
export const documentPdf = (documentId: string) => `/api/documents/${id(documentId)}/pdf`;

export const verification = (publicId: string) => request<Verification>(`/verifications/${id(publicId)}`);
export const dispense = (publicId: string, body: { code: string; renewal: number; lines: Given[] }, tag: string, idempotencyKey: string) =>
  request<Verification>(`/verifications/${id(publicId)}/dispensings`, { method: 'POST', body, ifMatch: tag, idempotencyKey });
export const withdrawDispensing = (publicId: string, entry: string, code: string, reason: string, idempotencyKey: string) =>
  request<Verification>(`/verifications/${id(publicId)}/dispensings/${id(entry)}/withdraw`, { method: 'POST', body: { code, reason }, idempotencyKey });
export const openVerification = (publicId: string, code: string) =>
  request<Verification>(`/verifications/${id(publicId)}`, { method: 'POST', body: { code } });
