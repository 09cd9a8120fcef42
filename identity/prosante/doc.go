// Package prosante is the relying party of Pro Santé Connect: it sends a
// professional to sign in, checks what comes back, and reads who they are and
// where they practise. It also knows the national identifiers of professionals
// and structures, and which profession may hold which role.
//
// Sources: ANS, référentiel Pro Santé Connect; Annexe identifiants CI-SIS
// (OID 1.2.250.1.71.4.2.1 and .2.2); ../shared/design/interop.md §2.
package prosante
