package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// An optionalBool is a parameter that tells false from left out.
type optionalBool struct {
	Value bool
	isSet bool
}

// Schema is that of a plain bool.
func (optionalBool) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean} }

// Receiver is where huma puts the value.
func (o *optionalBool) Receiver() reflect.Value { return reflect.ValueOf(&o.Value).Elem() }

// OnParamSet notes that the parameter was given.
func (o *optionalBool) OnParamSet(isSet bool, _ any) { o.isSet = isSet }

// pointer is nil where the parameter was left out.
func (o *optionalBool) pointer() *bool {
	if !o.isSet {
		return nil
	}
	return &o.Value
}
