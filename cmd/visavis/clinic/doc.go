// Package clinic is the file that says which organisations a visavis serves,
// who works there and when they receive, and the two ways it is used: applied
// to the database, and written from it.
//
// The file is JSON. It is declared, not a list of orders: applied twice it
// changes nothing the second time, and what it does not name is left as it is.
// An organisation is a site, known by its FINESS (a pharmacy with a cabin is
// one); a person is known by organisation and national identifier, "rpps" for
// who is registered and "idnat" for who is not. Somebody leaves with
// "active": false, which also ends their sessions. Prices are not in it: they
// are the dated tariffs of scheduling/tariff.
//
// A file is checked whole before anything is written, and every problem is told
// with its line and path; then it is applied in one transaction, with the audit
// rows of the modules concerned.
package clinic
