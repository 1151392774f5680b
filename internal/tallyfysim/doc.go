// Package tallyfysim is a simulated Tallyfy: one organisation with state,
// behind an http.Handler, that follows the vendor's public API documentation
// (https://tallyfy.com/products/pro/integrations/open-api/) for groups, users,
// guests, the caller's own profile, the organisation and the tokens that an
// application is given and mints.
//
// It reads that contract independently of the client it is used to test and
// shares no code with it. Where the documentation contradicts itself or says
// nothing, [Options] has a field for each reading; the zero value is the
// newest documented one. As upstream is a PHP program, strings are escaped
// its way: slashes as \/ and everything beyond ASCII as \uXXXX.
//
// A list, a single read and the answer to a write show the same row
// differently, as upstream does: keys come in another order, timestamps with
// other digits, ids of members as numbers or as strings, and some keys are
// carried by one form alone.
//
// Tests and demonstrations change the organisation with the edit methods,
// provoke trouble with [Sim.Fault] and read back what was asked with
// [Sim.Requests]. All methods of [Sim] may be called concurrently.
package tallyfysim
