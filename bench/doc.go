// Command bench measures leat beside the reference server in the same run, one
// after the other on the same machine, and prints a table. README.md says what
// each row does and how to read it.
package main
