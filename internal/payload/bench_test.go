package payload

import (
	"bytes"
	"strconv"
	"testing"

	"rollcall/internal/directory"
)

const typicalMember = `{"id":4711,"email":"noor.vale@plant.test","username":"noor","first_name":"Noor","last_name":"Vale",` +
	`"full_name":"Noor Vale","profile_pic":"https:\/\/cdn.test\/p\/4711.png?sig=abc","is_active":true,` +
	`"last_login_at":"2026-01-02T03:04:05Z","activated_at":"2025-01-02T03:04:05Z","type":"standard",` +
	`"created_at":"2025-01-02T03:04:05Z","updated_at":"2025-06-02T03:04:05Z","phone":null,"job_title":"Fitter",` +
	`"job_description":null,"team":"Plant B","timezone":"Europe\/Berlin","UTC_offset":"+01:00","role":"Standard",` +
	`"status":"active","date_format":"dd\/mm\/yyyy","is_default_admin":false}`

func groupOf(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"id":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","name":"Night shift","description":"Plant B","logo":null,"members":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(1000 + i*7919%1_000_003))
	}
	b.WriteString(`],"guests":["a@x.test"],"created_at":"2025-02-03T04:05:06Z","last_updated":"2025-02-04T04:05:06Z"}`)
	return b.Bytes()
}

func BenchmarkDecodeMember(b *testing.B) {
	raw := []byte(typicalMember)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeMember(raw, directory.ListForm); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeGroup(b *testing.B) {
	for _, size := range []int{10, 100, 100_000} {
		b.Run(strconv.Itoa(size)+"members", func(b *testing.B) {
			raw := groupOf(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := DecodeGroup(raw, directory.ListForm); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
