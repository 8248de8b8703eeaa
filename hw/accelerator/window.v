// Two line buffers: the 3x3 window around each pixel of images that follow each other, zero outside of an image.
//
// A window comes WIDTH + 1 pixels after its centre, so a pass begins with as many pixels that give none. Tap 3r + c
// of the window, 8 bits each, is row r from above and column c from the left. Everything holds while advance is 0.
module window #(
    parameter WIDTH = 8,        // a power of two, as the height is
    parameter COLUMN = 3,       // log2 of WIDTH
    parameter ROW = 3           // log2 of the height
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        advance,

    input  wire [7:0]  i_data,
    input  wire        i_first,
    input  wire        i_valid,

    output reg  [71:0] o_data,
    output reg         o_valid
);
    localparam [COLUMN+1:0] LEAD = WIDTH + 1;

    reg [7:0] upper [0:WIDTH-1];            // the line two above the newest pixel
    reg [7:0] middle [0:WIDTH-1];           // the line above it
    reg [COLUMN-1:0] next;                  // place in the lines
    reg [COLUMN+1:0] seen;                  // pixels of this pass, up to LEAD
    reg [COLUMN-1:0] column;                // of the centre
    reg [ROW-1:0]    row;
    reg [7:0] top_2, top_1, middle_2, middle_1, bottom_2, bottom_1;

    wire [COLUMN-1:0] place = i_first ? {COLUMN{1'b0}} : next;
    wire [7:0] top_0    = upper[place];
    wire [7:0] middle_0 = middle[place];
    wire [COLUMN+1:0] so_far = i_first ? {(COLUMN+2){1'b0}} : seen;
    wire is_window = so_far == LEAD;

    wire [2:0] columns = {~&column, 1'b1, |column};
    wire [2:0] rows    = {~&row, 1'b1, |row};
    wire [8:0] present = {columns & {3{rows[2]}}, columns & {3{rows[1]}}, columns & {3{rows[0]}}};
    wire [71:0] taps   = {i_data, bottom_1, bottom_2, middle_0, middle_1, middle_2, top_0, top_1, top_2};

    integer tap;
    always @(posedge clk)
        if (advance) begin
            for (tap = 0; tap < 9; tap = tap + 1)
                o_data[8*tap +: 8] <= taps[8*tap +: 8] & {8{present[tap]}};
        end

    always @(posedge clk)
        if (rst)
            o_valid <= 1'b0;
        else if (advance)
            o_valid <= i_valid & is_window;

    always @(posedge clk)
        if (advance & i_valid) begin
            upper[place]  <= middle_0;
            middle[place] <= i_data;
            {top_2, top_1}       <= {top_1, top_0};
            {middle_2, middle_1} <= {middle_1, middle_0};
            {bottom_2, bottom_1} <= {bottom_1, i_data};
            next <= place + 1'b1;
            seen  <= is_window ? LEAD : so_far + 1'b1;
            if (is_window)
                {row, column} <= {row, column} + 1'b1;
            else
                {row, column} <= 0;
        end
endmodule
