/** Catalogues of the professional's pages (see catalogues.ts). */
import type agenda from './fr/agenda.json';
import type deliveries from './fr/deliveries.json';
import type desk from './fr/desk.json';
import type encounter from './fr/encounter.json';
import type patients from './fr/patients.json';
import type prescription from './fr/prescription.json';
import type quality from './fr/quality.json';
import type refusals from './fr/refusals.json';
import type report from './fr/report.json';

export type DeskCatalogues = {
  agenda: typeof agenda;
  deliveries: typeof deliveries;
  desk: typeof desk;
  encounter: typeof encounter;
  patients: typeof patients;
  prescription: typeof prescription;
  quality: typeof quality;
  refusals: typeof refusals;
  report: typeof report;
};
