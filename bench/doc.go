// Command bench measures leat beside the reference server, and its Step
// Functions beside LocalStack and moto, in the same run, one after the other on
// the same machine, and prints tables. README.md says what each row does and how
// to read it.
package main
