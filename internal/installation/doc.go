// Package installation opens what belongs together: one master key, one
// database, one data folder. A key is only made together with an empty
// database. Afterwards the database names the key and the data folder it
// belongs to, and whatever does not fit is refused before a byte is written:
// a lost key, another key, a database that is gone, a folder that is not
// mounted. It also makes sure that one process serves at a time.
package installation
